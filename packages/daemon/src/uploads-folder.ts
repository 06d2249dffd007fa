/** Of the data folder: where files lie that were sent to be shared. */
export const UPLOADS_FOLDER = "uploads";

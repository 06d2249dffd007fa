/** How commands explain what names a transfer. */
export const ID_HELP = "the transfer: its id, the first four or more letters of it, or its name";

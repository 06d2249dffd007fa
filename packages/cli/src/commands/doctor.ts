import type { AddCommand } from "../session.ts";

export const addDoctor: AddCommand = (program, run) => {
  program
    .command("doctor")
    .description("look at this computer, the network and the data folder, and say what to do about each")
    .action(() => run(async (session) => (await import("../doctor/doctor.ts")).doctor(session)));
};

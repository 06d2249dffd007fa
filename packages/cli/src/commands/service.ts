import type { Command } from "commander";
import type { AddCommand, Run } from "../session.ts";

interface InstallOptions {
  readonly print?: boolean;
  readonly allowWrite?: string[];
}

export const addService: AddCommand = (program, run) => {
  const service = program
    .command("service")
    .description("have the system start the daemon when you log in, and again after a failure");
  addInstall(service, run);
  service
    .command("remove")
    .description("stop the daemon, and have the system start it no longer")
    .action(() => {
      run(async (session) => (await import("../service/service.ts")).removeService(session));
    });
};

function addInstall(service: Command, run: Run): void {
  service
    .command("install")
    .description("install the daemon as a service of yours: systemd, launchd or the Task Scheduler")
    .option("--print", "only show the file that would be installed")
    .option(
      "--allow-write <folder...>",
      "folders that the daemon may write to (Linux), besides its data and where downloads go",
    )
    .action((options: InstallOptions) => {
      run(async (session) => {
        const { installService } = await import("../service/service.ts");
        await installService(session, options.print === true, options.allowWrite ?? []);
      });
    });
}

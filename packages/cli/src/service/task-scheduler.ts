import type { ServiceSpec } from "./service-spec.ts";
import { escapeXml } from "./xml.ts";

export const TASK_NAME = "Backroom";

/**
 * Windows gives every program of the command line a window, Windows Terminal's by default, before the program can say that it wants none. This host of
 * the system's own is asked to show none. By its whole path: nothing of that name in another folder is started. It tells nobody how the program ended.
 */
const WITHOUT_WINDOW = ["%SystemRoot%\\System32\\conhost.exe", "--headless"] as const;

/**
 * A task of the person that runs from login on, with no more rights than the person's programs have, also on battery, for as long as it takes, and
 * without a window. `userId` is \`DOMAIN\\name\`.
 */
export function renderTask(spec: ServiceSpec, userId: string): string {
  const [program, ...args] = [...WITHOUT_WINDOW, ...spec.command];
  return `<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>Backroom, file sharing through relays</Description>
  </RegistrationInfo>
  <Triggers>
    <LogonTrigger>
      <Enabled>true</Enabled>
      <UserId>${escapeXml(userId)}</UserId>
    </LogonTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>${escapeXml(userId)}</UserId>
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>5</Count>
    </RestartOnFailure>
    <Hidden>true</Hidden>
    <Enabled>true</Enabled>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>${escapeXml(program)}</Command>
      <Arguments>${escapeXml(args.map(quoteWindows).join(" "))}</Arguments>
      <WorkingDirectory>${escapeXml(spec.dataFolder)}</WorkingDirectory>
    </Exec>
  </Actions>
</Task>
`;
}

/** As the C runtime of Windows takes arguments apart: backslashes count only in front of a quote. */
function quoteWindows(argument: string): string {
  if (argument !== "" && !/[\s"]/.test(argument)) return argument;
  return `"${argument.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, "$1$1")}"`;
}

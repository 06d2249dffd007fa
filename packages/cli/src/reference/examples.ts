/** Command lines that people write, with what they do; shown by `--help`, the reference and the man pages. A test reads each as the program would. */
export const EXAMPLES: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  share: [
    ["backroom share ~/Holiday", "seal a folder and print its link"],
    ["backroom share report.pdf --password", "whoever opens it must know a password, too"],
    ["backroom share ~/Holiday > link.txt", "the link alone goes into the file"],
  ],
  get: [
    ["backroom get LINK -o Downloads", "fetch it; the same again goes on where it stopped"],
    ["backroom get - < link.txt", "no link on the command line, where others could read it"],
    ["backroom get LINK --wait", "wait until somebody has it"],
    ["backroom get LINK --only 'Photos/2024/*.jpg'", "only these files of it"],
  ],
  mirror: [["backroom mirror LOCKED-LINK", "host a share that you cannot read"]],
  link: [
    ["backroom link 7k2m --locked", "for somebody who shall host it and not read it"],
    ["backroom link Holiday --qr", "to be read by a phone"],
  ],
  watch: [["backroom watch add ~/Outbox", "share whatever is put there"]],
  ls: [
    ["backroom ls --state downloading", "what is being fetched"],
    ["backroom ls --ids --state failed | xargs backroom resume", "try all again that failed"],
    ["backroom ls --json", "an object for each, for programs"],
  ],
  files: [
    ["backroom files 7k2m", "what it holds, and how much of each is there"],
    ["backroom files 7k2m --skip Raw --high letter.txt", "not that folder, and this file first"],
  ],
  rm: [["backroom rm 7k2m", "the files stay; the pack goes"]],
  limit: [
    ["backroom limit", "what holds now"],
    ["backroom limit down 2M up 500k", "bytes a second"],
    ["backroom limit relay off", "no limit for what is carried for others"],
  ],
  schedule: [["backroom schedule add mon-fri 9-17 down 1M up 200k", "slower in working hours"]],
  net: [
    ["backroom net", "the network in use, what it hides, and circuits"],
    ["backroom net join INVITE", "become a member of another one"],
    ["backroom net create", "make one and run its relays here, to try things out"],
  ],
  relay: [
    ["backroom relay auto --no-gate", "help as far as this computer can be reached"],
    [
      "backroom relay run on --host 192.0.2.1 --port 4000 --gate",
      "on a server, watched by its own service manager",
    ],
  ],
  config: [
    ["backroom config set downloads.folder ~/Downloads", "where fetched files go"],
    ["backroom config get page.port --origin", "and whether a flag, the environment or the file says so"],
  ],
  doctor: [["backroom doctor", "what is missing here, and what to do about it"]],
  token: [
    ["backroom token add phone --scope read links --days 30", "let a program look and see links for a month"],
  ],
  completion: [["source <(backroom completion bash)", "for this shell"]],
  seal: [["backroom seal ~/Holiday -o holiday.tar.zst.age", "one encrypted file, without any network"]],
  open: [["backroom open holiday.tar.zst.age LINK -o Pictures", "and back again"]],
};

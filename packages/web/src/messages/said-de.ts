import type { Said } from "./en.ts";

const OTHERS = "Abwarten: Es wird von selbst über andere versucht.";

/** What the daemon says, by the codes of its errors (docs/ERRORS.md) and of what a transfer waits for. Of errors that never reach the page there is nothing. */
export const saidDe: Readonly<Record<string, Said>> = {
  WAIT_SEALING: {
    what: "Anderes wird gerade versiegelt",
    fix: "Abwarten, bis es an der Reihe ist.",
  },
  WAIT_DOWNLOAD: {
    what: "So viel auf einmal geladen werden darf, wird schon geladen",
    fix: "Abwarten, bis es an der Reihe ist, oder in den Einstellungen mehr zulassen: downloads.active",
  },
  WAIT_CHOICE: {
    what: "Die Dateien sind bekannt, und keine ist ausgewählt",
    fix: "Dateien ankreuzen; was angekreuzt ist, wird gleich geladen.",
  },
  WAIT_SEEDER: {
    what: "Niemand, der es hat, wurde bisher gefunden",
    fix: "Wer es geteilt hat, muss es weiter ausgeben. Es beginnt von selbst, sobald jemand da ist.",
  },
  WAIT_GATE: {
    what: "Noch kein Relay dient als Tor, darum ist es nicht zu finden",
    fix: "Abwarten: Andere Relays werden von selbst gefragt.",
  },
  WAIT_ROUND: {
    what: "Dieser Rechner gibt mehr aus, als gleichzeitig zu finden sein kann: Es wechselt sich ab",
    fix: "Wer es lädt, wartet, bis es an der Reihe ist. Was niemand braucht, kann angehalten werden.",
  },

  E_INTERNAL: {
    what: "Ein Fehler im Programm selbst",
    fix: "Noch einmal versuchen. Bleibt es dabei, bitte melden; mit BACKROOM_DEBUG=1 steht mehr im Protokoll.",
  },
  E_INTERRUPTED: {
    what: "Es wurde unterbrochen",
    fix: "Noch einmal versuchen: Es geht dort weiter, wo es aufgehört hat.",
  },
  E_MACHINE: {
    what: "Dieser Rechner hat weniger, als Backroom braucht",
    fix: "Unter „Prüfung“ steht, was fehlt und was zu tun ist.",
  },
  E_SETTING: {
    what: "Diese Einstellung gibt es nicht, oder ihr Wert passt nicht",
    fix: "Was jede sein kann, sagt: backroom config list",
  },
  E_CRYPTO: {
    what: "Die Daten sind beschädigt, gefälscht oder für einen anderen Schlüssel",
    fix: "Von jemand anderem laden, oder den Schlüssel prüfen.",
  },
  E_LINK: {
    what: "Das ist kein vollständiger Link",
    fix: "Den Link noch einmal ganz kopieren, von „backroom:“ bis zum letzten Zeichen.",
  },
  E_LINK_CHECKSUM: {
    what: "Im Link oder in der Einladung fehlt etwas, oder es ist vertippt",
    fix: "Noch einmal kopieren statt abtippen, oder Zeichen für Zeichen vergleichen.",
  },
  E_LINK_VERSION: {
    what: "Link oder Einladung stammen von einer neueren Fassung von Backroom",
    fix: "Backroom erneuern, dann noch einmal einfügen.",
  },
  E_INVITE: {
    what: "Das ist keine vollständige Einladung",
    fix: "Die Einladung noch einmal ganz kopieren, von „backroom-join:“ bis zum letzten Zeichen.",
  },
  E_INPUT: {
    what: "Etwas, das geteilt werden soll, ist nicht da, nicht lesbar oder nicht zum Teilen",
    fix: "Den Pfad und seine Zugriffsrechte prüfen.",
  },
  E_INPUT_NAMES: {
    what: "Ein Name unter den Dateien ließe sich auf einem anderen Rechner nicht anlegen",
    fix: "Die Datei umbenennen, oder sie in einem eigenen Ordner teilen.",
  },
  E_FILE_CHANGED: {
    what: "Eine Datei hat sich geändert, während sie gelesen wurde",
    fix: "Warten, bis nichts mehr in die Dateien schreibt, dann noch einmal teilen.",
  },
  E_PACK: {
    what: "Das Paket ist echt, hat aber nicht die vorgeschriebene Form",
    fix: "Wer es geteilt hat, sollte es mit einer neuen Fassung noch einmal teilen.",
  },
  E_AGE_HEADER: {
    what: "Der Kopf des Pakets ist beschädigt oder verlangt zu viel",
    fix: "Das Paket von jemand anderem laden.",
  },
  E_NO_KEY: {
    what: "Kein angegebener Schlüssel öffnet das Paket",
    fix: "Das Passwort prüfen, oder die Schlüsseldatei von jemandem angeben, für den es versiegelt ist.",
  },
  E_KEY_FILE: {
    what: "Das ist keine Schlüsseldatei",
    fix: "Eine Datei angeben, die age-keygen gemacht hat.",
  },
  E_RECIPIENT: {
    what: "Das ist kein öffentlicher Schlüssel von age",
    fix: "Den Schlüssel noch einmal ganz kopieren; er beginnt mit age1.",
  },
  E_WEAK_PASSWORD: {
    what: "Das Passwort wäre zu erraten",
    fix: "Vier oder mehr Wörter ohne Zusammenhang nehmen, oder sechzehn zufällige Zeichen.",
  },
  E_UNSAFE_PATH: {
    what: "Ein Name führt aus dem Ordner hinaus, täuscht, oder ist nicht überall möglich",
    fix: "Die Datei umbenennen und noch einmal teilen. Was von jemand anderem so kommt, verdient kein Vertrauen.",
  },
  E_TARGET_EXISTS: {
    what: "Dort, wo es hingehört, ist schon etwas; überschrieben wird nie",
    fix: "Das andere wegräumen, oder einen anderen Ordner wählen.",
  },
  E_FILE: {
    what: "Eine Datei ließ sich nicht lesen oder schreiben",
    fix: "Prüfen, ob der Ordner da ist, beschrieben werden darf und die Platte in Ordnung ist.",
  },
  E_NO_FILE: {
    what: "Diese Datei gibt es darin nicht",
    fix: "Unter „Dateien“ steht, was es gibt.",
  },
  E_SELECTION: {
    what: "Hier lassen sich die Dateien so nicht auswählen",
    fix: "Ausgewählt wird, wo geladen und geöffnet wird; am einfachsten ganze Ordner.",
  },
  E_CHANNEL: {
    what: "Die Verbindung zu einem Relay ist abgerissen",
    fix: "Die Verbindung zum Internet prüfen; inzwischen wird ein anderes Relay benutzt.",
  },
  E_CHANNEL_SILENT: {
    what: "Ein Relay antwortet nicht mehr",
    fix: "Die Verbindung zum Internet prüfen; inzwischen wird ein anderes Relay benutzt.",
  },
  E_UNREACHABLE: {
    what: "Das Relay ist nicht zu erreichen",
    fix: "Die Verbindung zum Internet und die Firewall prüfen, dann noch einmal versuchen.",
  },
  E_CHANNEL_IDENTITY: {
    what: "Ein anderes Relay hat geantwortet als das gefragte",
    fix: "Einen neueren Link oder eine neuere Einladung holen: Das Relay ist vielleicht umgezogen.",
  },
  E_OTHER_NETWORK: {
    what: "Das gehört zu einem anderen Netz",
    fix: "Dem Netz beitreten, für das der Link oder die Einladung ist.",
  },
  E_PORT_IN_USE: {
    what: "Ein anderes Programm benutzt diesen Port schon",
    fix: "Das andere Programm beenden, oder einen anderen Port wählen.",
  },
  E_LISTEN: {
    what: "Das System erlaubt diese Adresse oder diesen Port nicht",
    fix: "Eine Adresse dieses Rechners und einen Port über 1023 wählen.",
  },
  E_PROXY: {
    what: "Der Proxy fehlt, lehnt ab oder spricht kein SOCKS 5; an ihm vorbei geht nichts",
    fix: "Den Proxy starten oder seine Adresse berichtigen. Ohne Proxy sehen Relays die Adresse dieses Rechners.",
  },
  E_DISK_FULL: {
    what: "Die Platte ist voll",
    fix: "Platz machen und noch einmal versuchen: Was da ist, bleibt.",
  },
  E_STORE: {
    what: "Im Datenordner ließ sich etwas nicht lesen oder schreiben",
    fix: "Die Platte und die Rechte des Datenordners prüfen.",
  },
  E_LOCKED: {
    what: "Ein anderer Prozess von Backroom arbeitet gerade damit",
    fix: "Den anderen beenden oder abwarten, dann noch einmal versuchen.",
  },
  E_CIRCUIT: { what: "Ein Relay auf dem Weg ist weggefallen oder überlastet", fix: OTHERS },
  E_REFUSED: { what: "Das Relay bietet das nicht an, oder nicht allen", fix: OTHERS },
  E_HANDSHAKE: {
    what: "Die andere Seite konnte nicht beweisen, wer sie ist, oder kennt den Link nicht",
    fix: OTHERS,
  },
  E_NO_NETWORK: {
    what: "Dieser Rechner ist noch in keinem Netz",
    fix: "Einem beitreten: mit einem Link oder einer Einladung.",
  },
  E_NETWORK_FILE: {
    what: "Die Datei des Netzes ist unvollständig",
    fix: "Mit einer neuen Einladung noch einmal beitreten.",
  },
  E_NO_ADDRESS: {
    what: "Ein Relay, das niemanden fragt, braucht eine eigene Adresse",
    fix: "Das Weitertragen auf „Wenn dieser Rechner erreichbar ist“ stellen.",
  },
  E_NO_RELAYS: {
    what: "Kein bekanntes Relay des Netzes antwortet",
    fix: "Die Verbindung zum Internet prüfen, oder mit einem neueren Link oder einer neuen Einladung noch einmal beitreten.",
  },
  E_FEW_SOURCES: {
    what: "Alles, was von den Relays bekannt ist, kommt aus einer einzigen Quelle, die beide Enden sehen könnte",
    fix: "Mit einem zweiten Link oder einer zweiten Einladung beitreten, oder dieser einen Quelle vertrauen.",
  },
  E_CLOCK: {
    what: "Die Uhr dieses Rechners geht falsch, darum wäre nichts zu finden",
    fix: "Uhr und Zeitzone richtig stellen, am besten automatisch.",
  },
  E_NETWORK_TOO_SMALL: {
    what: "Das Netz hat zu wenige unabhängige Relays für einen Weg, der die Adresse verbirgt",
    fix: "Noch einmal versuchen, wenn mehr Leute Relays betreiben; abgekürzt wird der Weg nie.",
  },
  E_TUNNEL: { what: "Der Tunnel zur anderen Seite ist abgerissen", fix: OTHERS },
  E_GATE: { what: "Das Tor lehnt ab oder antwortet nicht", fix: OTHERS },
  E_NO_SEEDERS: {
    what: "Niemand gibt es gerade aus",
    fix: "Wer es geteilt hat, sollte es weiter ausgeben; später noch einmal versuchen.",
  },
  E_DENY_LIST: {
    what: "Die Datei deny-list im Datenordner hat eine Zeile, die nicht passt",
    fix: "Die Zeile berichtigen oder herausnehmen.",
  },
  E_DENIED: {
    what: "Wer diesen Rechner betreibt, bewahrt das nicht für andere auf",
    fix: "Es aus der Datei deny-list im Datenordner nehmen, wenn das deine Entscheidung ist.",
  },
  E_HASH: { what: "Die Daten passen nicht zu dem, was geteilt ist", fix: "Von jemand anderem laden." },
  E_SWARM_CLOSED: {
    what: "Es wurde angehalten, bevor die Daten da waren",
    fix: "Noch einmal beginnen: Es geht dort weiter, wo es aufgehört hat.",
  },
  E_NO_DAEMON: { what: "Der Dienst antwortet nicht", fix: "Ihn starten: backroom daemon start" },
  E_DAEMON: {
    what: "Die Verbindung zum Dienst ist abgerissen, oder er ist von einer anderen Fassung",
    fix: "Noch einmal versuchen. Bleibt es dabei: backroom daemon stop, dann backroom daemon start",
  },
  E_NO_TRANSFER: {
    what: "Diese Übertragung gibt es nicht mehr",
    fix: "Unter „Übertragungen“ steht, was es gibt.",
  },
  E_SAME_SHARE: {
    what: "Genau das ist schon unter den Übertragungen",
    fix: "Damit weitermachen, oder es erst entfernen.",
  },
  E_OTHER_PACK: {
    what: "Der Link gehört zu etwas anderem",
    fix: "Den Link nehmen, der zu diesem Paket gehört.",
  },
  E_NOT_HELD: {
    what: "Das Paket ist nicht oder nicht ganz auf diesem Rechner",
    fix: "Es erst laden, oder abwarten, bis es da ist.",
  },
  E_WATCH: {
    what: "Dieser Ordner kann kein Ablageordner sein",
    fix: "Einen eigenen, lesbaren Ordner anlegen für das, was geteilt werden soll.",
  },
  E_NO_WATCH: { what: "Diesen Ablageordner gibt es nicht mehr", fix: "Die Seite neu laden." },
  E_CATALOGUE_DAMAGED: {
    what: "Die Liste der Übertragungen ist beschädigt",
    fix: "Den Dienst neu starten: Er nimmt die letzte Sicherung. Und die Platte prüfen.",
  },
  E_CATALOGUE_VERSION: {
    what: "Eine neuere Fassung von Backroom hat die Liste der Übertragungen geschrieben",
    fix: "Backroom erneuern.",
  },
  E_REQUEST: { what: "So geht das nicht", fix: "Die Angaben prüfen." },
  E_TOO_LARGE: { what: "Das ist zu viel auf einmal", fix: "Weniger nehmen, oder in mehreren Teilen." },
  E_DOOR: {
    what: "Der Dienst hört nur auf seine eigene Seite",
    fix: "Die Seite neu öffnen: backroom page",
  },
  E_ACCESS: {
    what: "Diese Seite hat keinen gültigen Schlüssel mehr",
    fix: "Sie neu öffnen: backroom page",
  },
  E_SCOPE: { what: "Dazu reicht dieser Schlüssel nicht", fix: "Die Seite neu öffnen: backroom page" },
  E_GUESSING: {
    what: "Von hier kamen zu viele falsche Schlüssel",
    fix: "Eine Minute warten, dann noch einmal versuchen.",
  },
  E_TOKEN: {
    what: "Mit diesem Schlüssel geht das nicht",
    fix: "Jeder hat einen eigenen Namen, und es gibt höchstens hundert.",
  },
  E_NO_UPLOAD: {
    what: "Was an den Dienst übergeben wurde, ist nicht mehr da",
    fix: "Noch einmal von vorn beginnen.",
  },
  E_CONTENT_URL: { what: "Diese Adresse gilt nicht mehr", fix: "Die Seite neu laden." },
  E_BUSY: {
    what: "Der Dienst hat gerade zu viel zu tun",
    fix: "Andere Fenster und Programme schließen, die ihn benutzen, oder etwas später noch einmal versuchen.",
  },
};

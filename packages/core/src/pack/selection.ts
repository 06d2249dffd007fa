import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";

/** From what is not fetched at all to what comes first. */
export type FilePriority = "skip" | "low" | "normal" | "high";

/** `path` is that of a file of the share, or of a folder with all that is beneath it; empty for everything. */
export interface FileChoice {
  readonly path: string;
  readonly priority: FilePriority;
}

interface Node {
  priority: FilePriority | undefined;
  readonly children: Map<string, Node>;
}

/**
 * Which files of a share are wanted, and how soon. What was said last of a path holds for all beneath it, so that of an entry the longest path counts
 * that was said anything of; where nothing was, it is "normal". Keeps no more than what makes a difference.
 */
export class Selection {
  static readonly everything = new Selection(newNode());
  readonly #root: Node;

  private constructor(root: Node) {
    this.#root = root;
  }

  /** Later choices beat earlier ones. Raises E_SELECTION where they are more than is kept. */
  static of(choices: Iterable<FileChoice>): Selection {
    const selection = new Selection(treeOf(choices, LIMITS.selectionNames));
    selection.assertBounded();
    return selection;
  }

  /** Of choices that this program made of such ones itself, however many they are. */
  static kept(choices: Iterable<FileChoice>): Selection {
    return new Selection(treeOf(choices, Infinity));
  }

  /** What was chosen before, and then `more`. Raises E_SELECTION. */
  with(more: Iterable<FileChoice>): Selection {
    return Selection.of([...this.choices(), ...more]);
  }

  /** Wants whatever one of the two wants, as soon as `other` says where that wants it. May be more than is kept: see `assertBounded`. */
  plus(other: Selection): Selection {
    return Selection.kept(
      this.#pathsWith(other).map((path) => {
        const priority = other.priorityOf(path);
        return { path, priority: priority === "skip" ? this.priorityOf(path) : priority };
      }),
    );
  }

  /** The same, where how soon is not told apart. */
  or(other: Selection): Selection {
    return Selection.kept(
      this.#pathsWith(other).map((path) => ({
        path,
        priority: this.priorityOf(path) === "skip" && other.priorityOf(path) === "skip" ? "skip" : "normal",
      })),
    );
  }

  /** Whether it wants all that `other` wants, whatever the share holds. */
  covers(other: Selection): boolean {
    return this.#pathsWith(other).every(
      (path) => other.priorityOf(path) === "skip" || this.priorityOf(path) !== "skip",
    );
  }

  /** Raises E_SELECTION where it is more than is kept. */
  assertBounded(): void {
    const choices = this.choices();
    const bytes = choices.reduce((sum, { path }) => sum + Buffer.byteLength(path), 0);
    if (choices.length > LIMITS.selectionChoices || bytes > LIMITS.selectionBytes) throw tooMany();
  }

  /** All that anything was said of here or there, folders before what is in them: between them nothing differs. */
  #pathsWith(other: Selection): string[] {
    return ["", ...this.choices().map(({ path }) => path), ...other.choices().map(({ path }) => path)].sort();
  }

  /** As few as say the same, folders before what is in them. */
  choices(): FileChoice[] {
    const choices: FileChoice[] = [];
    collect(this.#root, "", choices);
    return choices;
  }

  priorityOf(path: string): FilePriority {
    let priority = this.#root.priority ?? "normal";
    // Most selections say little: a million paths are not cut into names for nothing.
    if (this.#root.children.size === 0) return priority;
    let node = this.#root;
    for (const name of namesIn(path)) {
      const child = node.children.get(name);
      if (child === undefined) break;
      node = child;
      priority = node.priority ?? priority;
    }
    return priority;
  }

  /** Whether all files are wanted as soon as each other, or none is. */
  get isUniform(): boolean {
    return this.#root.children.size === 0;
  }

  /** Whether there is no file that is skipped, whatever the share holds. */
  get wantsAll(): boolean {
    return this.choices().every(({ priority }) => priority !== "skip");
  }
}

function treeOf(choices: Iterable<FileChoice>, most: number): Node {
  const root = newNode();
  let names = 0;
  for (const { path, priority } of choices) {
    let node = root;
    for (const name of namesIn(path)) {
      let child = node.children.get(name);
      if (child === undefined) {
        if (++names > most) throw tooMany();
        node.children.set(name, (child = newNode()));
      }
      node = child;
    }
    node.priority = priority;
    node.children.clear();
  }
  prune(root, "normal");
  return root;
}

function newNode(): Node {
  return { priority: undefined, children: new Map() };
}

/** A folder's path may end in a slash, as the index has it. */
function namesIn(path: string): string[] {
  return path.split("/").filter((name) => name !== "");
}

/** Takes away what says nothing new. True where nothing is left. */
function prune(node: Node, inherited: FilePriority): boolean {
  if (node.priority === inherited) node.priority = undefined;
  const here = node.priority ?? inherited;
  for (const [name, child] of node.children) if (prune(child, here)) node.children.delete(name);
  return node.priority === undefined && node.children.size === 0;
}

function collect(node: Node, path: string, choices: FileChoice[]): void {
  if (node.priority !== undefined) choices.push({ path, priority: node.priority });
  // In one order, whatever was said first: what says the same is the same.
  for (const [name, child] of [...node.children].sort(([a], [b]) => (a < b ? -1 : 1)))
    collect(child, path === "" ? name : `${path}/${name}`, choices);
}

function tooMany(): BackroomError {
  return new BackroomError("E_SELECTION", "more files are chosen one by one than are kept", {
    why: `of one share ${LIMITS.selectionChoices.toLocaleString("en-US")} choices are kept`,
    fix: "choose folders, or everything, and then what is to differ",
  });
}

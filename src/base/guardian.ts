import { type ChildProcess, spawn } from "node:child_process";
import { killGroup } from "./process-group.js";

/**
 * A shell in a session of its own, which outlives this process. It gets the process groups that must not outlive it, one a
 * line. When the pipe ends without a `bye`, this process has crashed, and the shell kills the groups:
 *
 *   coordinator ──"+ 4711"──"- 4711"──▶ /bin/sh        (SIGKILL) ──end of file──▶ kill -9 of the groups left
 *
 * After that, where there is /proc, it kills processes with its mark in their environment: children that were started but
 * not reported, or that have left their group. It stops after five searches that killed none, and in any case after 600 (at
 * least a minute): a process that hangs in the kernel survives kill -9.
 */
const SCRIPT = `
trap '' INT TERM HUP QUIT
groups=' '
while IFS= read -r line; do
  group=\${line#* }
  case $line in
    '+ '*) groups="$groups$group " ;;
    '- '*) case $groups in *" $group "*) groups="\${groups%%" $group "*} \${groups#*" $group "}" ;; esac ;;
    bye) exit ;;
  esac
done
for group in $groups; do kill -9 "-$group"; done
quiet=0
round=0
while [ -r /proc/self/environ ] && [ $quiet -lt 5 ] && [ $round -lt 600 ]; do
  quiet=$((quiet + 1))
  round=$((round + 1))
  for file in $(grep -lszxF -e "KAGURAZAKA_OWNER=$1" /proc/[0-9]*/environ); do
    pid=\${file#/proc/}
    kill -9 "\${pid%/environ}" && quiet=0
  done
  sleep 0.1 || exit
done
`;

/** A shell that is killed is replaced so many times. */
const MAX_LOST = 20;

/** Lives as long as the run. The shell is started when the first group is added, and again when it was killed. */
export class Guardian implements Disposable {
  readonly #owner: string;
  readonly #onWarning: (message: string) => void;
  readonly #groups = new Set<number>();
  #shell: ChildProcess | undefined;
  #lost = 0;
  #isOver = false;

  constructor(owner: string, onWarning: (message: string) => void) {
    this.#owner = owner;
    this.#onWarning = onWarning;
  }

  add(leaderPid: number): void {
    this.#shell ??= this.#start();
    this.#groups.add(leaderPid);
    this.#tell(`+ ${leaderPid}`);
  }

  remove(leaderPid: number): void {
    if (this.#groups.delete(leaderPid)) this.#tell(`- ${leaderPid}`);
  }

  #start(): ChildProcess {
    // It keeps no directory, variable or stream of ours open, and Ctrl-C does not reach it.
    const shell = spawn("/bin/sh", ["-c", SCRIPT, "kagurazaka-guardian", this.#owner], {
      cwd: "/",
      env: { PATH: process.env.PATH ?? "/usr/bin:/bin" },
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
    shell.once("error", (error) =>
      this.#onWarning(
        `cannot start /bin/sh (${error.message}): if this process is killed, programs started by items keep running`,
      ),
    );
    // The shell may be killed by hand, or for want of memory.
    shell.once("exit", () => this.#replace());
    shell.stdin!.on("error", () => {});
    shell.unref();
    return shell;
  }

  #replace(): void {
    if (this.#isOver) return;
    if (++this.#lost > MAX_LOST)
      return this.#onWarning(
        `the shell that ends programs of items was killed ${this.#lost} times: if this process is killed as well, they keep running`,
      );
    this.#shell = this.#start();
    for (const group of this.#groups) this.#tell(`+ ${group}`);
  }

  #tell(line: string): void {
    const pipe = this.#shell?.stdin;
    if (pipe?.writable) pipe.write(`${line}\n`);
  }

  /** The run ends in order: kills the groups left, and lets the shell exit without a search. */
  [Symbol.dispose](): void {
    this.#isOver = true;
    for (const group of this.#groups) killGroup(group);
    this.#groups.clear();
    this.#tell("bye");
    this.#shell?.stdin?.end();
  }
}

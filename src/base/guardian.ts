import { type ChildProcess, spawn } from "node:child_process";
import { killGroup } from "./process-group.js";

/**
 * A shell in a session of its own that outlives this process for a moment. It is told which process groups must not, one
 * line each; when the pipe breaks off without a `bye`, this process is gone, however it ended, and they are killed.
 *
 *   coordinator ──"+ 4711"──"- 4711"──▶ /bin/sh        (SIGKILL) ──end of file──▶ kill -9 of all that is left
 *
 * Then, where there is /proc, it looks for a moment for whatever carries the run's id in its environment: a child that was
 * started but not yet told of, or one that has left its group. Not for ever: a process that hangs in the kernel is told to
 * die and stays, so after some 600 looks (a minute at least) the shell gives up and goes.
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
  for file in $(grep -lszxF -e "KAGURAZAKA_RUN=$1" /proc/[0-9]*/environ); do
    pid=\${file#/proc/}
    kill -9 "\${pid%/environ}" && quiet=0
  done
  sleep 0.1 || exit
done
`;

/** Lives as long as the run. The shell is started for the first process that needs it. */
export class Guardian implements Disposable {
  readonly #run: string;
  readonly #onWarning: (message: string) => void;
  readonly #groups = new Set<number>();
  #shell: ChildProcess | undefined;

  constructor(run: string, onWarning: (message: string) => void) {
    this.#run = run;
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
    // No directory, variable or stream of ours is held by it, and Ctrl-C does not reach it.
    const shell = spawn("/bin/sh", ["-c", SCRIPT, "kagurazaka-guardian", this.#run], {
      cwd: "/",
      env: { PATH: process.env.PATH ?? "/usr/bin:/bin" },
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
    shell.once("error", (error) =>
      this.#onWarning(
        `should this process be killed, children of items may live on: /bin/sh cannot be started: ${error.message}`,
      ),
    );
    // Killed by hand, it is missed by nobody until the worst happens.
    shell.stdin!.on("error", () => {});
    shell.unref();
    return shell;
  }

  #tell(line: string): void {
    const pipe = this.#shell?.stdin;
    if (pipe?.writable) pipe.write(`${line}\n`);
  }

  /** The run is over in order: what has to be gone is gone, and what was started to stay is left alone. */
  [Symbol.dispose](): void {
    for (const group of this.#groups) killGroup(group);
    this.#groups.clear();
    this.#tell("bye");
    this.#shell?.stdin?.end();
  }
}

import { spawn, spawnSync } from "node:child_process";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isRunning, productRoot, until } from "./harness/command.js";
import { readNotes } from "./harness/disk.js";
import { processesNamed } from "./harness/processes.js";
import { report } from "./harness/seeds.js";
import { openWorkplace, type Workplace } from "./harness/workplace.js";

let workplace: Workplace;
const run = `run-${process.pid}-guardian`;
beforeAll(() => {
  workplace = openWorkplace("guardian");
});
afterAll(() => {
  for (const pid of processesNamed(run)) process.kill(pid, "SIGKILL");
  workplace[Symbol.dispose]();
});

/**
 * SIGKILL succeeds on a process that hangs in the kernel, and the process still exists. So does a dead one that is
 * not reaped. A `grep` that finds it every time, and a `sleep` that takes no time, stand in for a minute.
 */
test.runIf(process.platform === "linux")(
  "the hunt for what a killed run left ends, though one process never goes",
  async () => {
    const parent = spawn("/bin/sh", ["-c", "/bin/sleep 0.1 & echo $!; exec /bin/sleep 60"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const dead = Number(await new Promise((resolve) => parent.stdout.once("data", resolve)));
    workplace.write({
      "bin/grep": `#!/bin/sh\necho /proc/${dead}/environ\necho x >> ${workplace.path("looks")}\n`,
      "bin/sleep": "#!/bin/sh\n",
    });
    for (const name of ["grep", "sleep"]) chmodSync(workplace.path("bin", name), 0o755);
    const script = `
    import { Guardian } from ${JSON.stringify(join(productRoot, "dist/src/base/guardian.js"))};
    new Guardian(${JSON.stringify(run)}, () => {}).add(2 ** 22 + 1);
    setTimeout(() => process.kill(process.pid, "SIGKILL"), 200);`;
    const { signal } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      env: { ...process.env, PATH: workplace.path("bin") },
    });
    expect(signal).toBe("SIGKILL");
    await until("it begins", () => readNotes(workplace.path("looks")).length > 20);
    await until("the guardian is gone", () => processesNamed(run).length === 0, 30_000);
    const looks = readNotes(workplace.path("looks")).length;
    expect(looks).toBe(600);
    process.kill(dead, 0);
    parent.kill();
    report("the guardian's hunt", { looks });
  },
);

test.runIf(process.platform === "linux")(
  "a guardian that is killed is replaced, and the new one knows the groups",
  async () => {
    const name = `${run}-replaced`;
    const script = `
    import { spawn } from "node:child_process";
    import { Guardian } from ${JSON.stringify(join(productRoot, "dist/src/base/guardian.js"))};
    const child = spawn("/bin/sleep", ["600"], { detached: true, stdio: "ignore" });
    new Guardian(${JSON.stringify(name)}, () => {}).add(child.pid);
    console.log(child.pid);
    setInterval(() => {}, 1000);`;
    const owner = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const child = Number(await new Promise((resolve) => owner.stdout.once("data", resolve)));
    const guardians = (): number[] => processesNamed(name).filter((pid) => pid !== owner.pid);
    await until("it begins", () => guardians().length === 1);
    const [first] = guardians();
    process.kill(first!, "SIGKILL");
    await until("there is another one", () => guardians().some((pid) => pid !== first));
    owner.kill("SIGKILL");
    await until("the program is gone", () => !isRunning(child));
    await until("the guardian is gone", () => processesNamed(name).length === 0, 30_000);
  },
);

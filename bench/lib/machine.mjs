import { readFileSync } from "node:fs";
import { arch, availableParallelism, cpus, release, tmpdir, totalmem, type } from "node:os";
import { join } from "node:path";
import { repository } from "./kagurazaka.mjs";
import { runProcess } from "./process.mjs";

/** The machine on which the figures were measured, as lines of text. */
export async function describeMachine() {
  const manifest = readJson("package.json");
  const versions = [...Object.keys(manifest.dependencies), "csv-parse"].map(
    (name) => `${name} ${readJson(`node_modules/${name}/package.json`).version}`,
  );
  const python = await pythonVersion();
  return [
    `CPU: ${cpus()[0]?.model.trim() ?? "unknown"}, ${availableParallelism()} cores (${arch()})`,
    `Memory: ${(totalmem() / 2 ** 30).toFixed(1)} GiB`,
    `OS: ${osName()}, ${type()} ${release()}; ${tmpdir()} on ${await fileSystemOf(tmpdir())}`,
    `Node: ${process.version}; Python: ${python ?? "none"}`,
    `Packages: ${manifest.name} ${manifest.version}, ${versions.join(", ")}`,
    `Date: ${new Date().toISOString().slice(0, 10)}`,
  ];
}

/** "3.11.7", or undefined where there is no python3. */
export async function pythonVersion() {
  try {
    const { code, stdout } = await runProcess(["python3", "-c", "import platform; print(platform.python_version())"], {
      timeoutMs: 20_000,
    });
    return code === 0 ? stdout.trim() : undefined;
  } catch {
    return undefined;
  }
}

const readJson = (path) => JSON.parse(readFileSync(join(repository, path), "utf8"));

function osName() {
  try {
    return /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync("/etc/os-release", "utf8"))[1];
  } catch {
    return process.platform;
  }
}

async function fileSystemOf(path) {
  try {
    const { stdout } = await runProcess(["df", "-PT", path], { timeoutMs: 20_000 });
    return stdout.trim().split("\n").at(-1).split(/\s+/)[1];
  } catch {
    return "an unknown file system";
  }
}

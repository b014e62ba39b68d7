import { spawn } from "node:child_process";
import { once } from "node:events";
import { peer } from "./kagurazaka.mjs";

/** Starts `peers/service.mjs`, for the time of one measurement. */
export async function withService(kind, work) {
  const child = spawn(process.execPath, [peer("service.mjs"), kind], { stdio: ["pipe", "pipe", "inherit"] });
  try {
    const [line] = await once(child.stdout.setEncoding("utf8"), "data");
    const port = Number(line);
    const result = await work(port);
    return { result, stats: await (await fetch(`http://127.0.0.1:${port}/stats`)).json() };
  } finally {
    child.kill();
    await once(child, "exit");
  }
}

import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";

/** In a process of its own: there is one stdin per process. */
function inProcess(body: string, input: string): string {
  const module = new URL("../../dist/src/data/bytes/read-chunks.js", import.meta.url).href;
  const script = `
    import { readChunks } from ${JSON.stringify(module)};
    const read = async (options) => {
      let text = "";
      for await (const chunk of readChunks("-", options)) text += chunk;
      return text;
    };
    ${body}`;
  return execFileSync(process.execPath, ["--input-type=module", "-e", script], { input, encoding: "utf8" });
}

describe("standard input", () => {
  test("is read to its end", () => {
    const long = "line\n".repeat(100_000);
    expect(inProcess("console.log((await read()).length);", long)).toBe(`${long.length}\n`);
  });

  test("is read once: a second reader is told so, also when there was nothing in it", () => {
    const twice = "await read(); await read().catch(({ code, message }) => console.log(code, message));";
    for (const input of ["a\n", ""])
      expect(inProcess(twice, input)).toBe("usage standard input was read before, and can be read only once\n");
  });

  test("that is a terminal is awaited aloud, and a pipe in silence", () => {
    const said = (first: string) =>
      inProcess(`${first} await read({ warn: (message) => console.log(message) });`, "a\n");
    expect(said("process.stdin.isTTY = true;")).toContain("the list is read from the terminal");
    expect(said("")).toBe("");
  });

  test("is let go when the signal fires while nothing comes", () => {
    const script = `
      const { PassThrough } = await import("node:stream");
      const silent = new PassThrough();
      Object.defineProperty(process, "stdin", { value: silent });
      const abort = new AbortController();
      setTimeout(() => abort.abort(new Error("enough")), 50);
      await read({ signal: abort.signal }).catch((error) => console.log(error.message, silent.destroyed));`;
    expect(inProcess(script, "")).toBe("enough true\n");
  });
});

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";

describe("the compiler", () => {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  // Inside the project, so that it compiles as the project does.
  const directory = mkdtempSync(join(root, "test/templates/.snippet-"));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test("names the field that no mode injects", () => {
    const snippet = join(directory, "task.ts");
    writeFileSync(
      snippet,
      `import { type FileItem, InputByExts, KagurazakaTask, moemoecueNormal, NoHardShard, OutputByAppendingExt, type OutputFile } from "../../../src/index.js";
type Asked = FileItem & { output_thumbnail: OutputFile };
@moemoecueNormal({
  hardShardMode: NoHardShard({ inputPath: "in", outputPath: "out" }),
  inputMode: InputByExts({ exts: [".txt"] }),
  outputMode: OutputByAppendingExt({ ext: ".json" }),
})
export class Task extends KagurazakaTask<Asked> {
  process({ output_thumbnail }: Asked) {
    return output_thumbnail;
  }
}
`,
    );
    writeFileSync(
      join(directory, "tsconfig.json"),
      JSON.stringify({
        extends: "../../../tsconfig.json",
        compilerOptions: { rootDir: root, outDir: undefined },
        include: ["task.ts"],
      }),
    );
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    let output = "";
    try {
      execFileSync(process.execPath, [tsc, "-p", directory], { encoding: "utf8" });
    } catch (error) {
      output = (error as { stdout: string }).stdout;
    }
    expect(output).toMatch(/task\.ts\(3,2\): error/);
    expect(output).toContain('FieldIsNotInjectedByTheModes<"output_thumbnail">');
    expect(output).toContain("the task reads a field that its modes do not inject");
    expect(output.match(/: error /g)?.length).toBe(1);
  });
});

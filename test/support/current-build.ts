import { execFileSync } from "node:child_process";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

/** Global setup of the projects that run the built product: no test runs before `dist/` is that of the sources. */
export default function makeBuildCurrent(project: TestProject): void {
  const build = (): void => {
    execFileSync(process.execPath, [join(project.config.root, "build.mjs")], { stdio: "inherit" });
  };
  build();
  project.onTestsRerun(build);
}

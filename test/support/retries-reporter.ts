import type { Reporter, TestModule } from "vitest/node";

/** Names each test that needed a retry: one that passes the second time is otherwise not told of. */
export class RetriesReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const lines = modules.flatMap((module) =>
      [...module.children.allTests()].flatMap((test) => {
        const retries = test.diagnostic()?.retryCount ?? 0;
        if (retries === 0) return [];
        const [error] = test.result().errors ?? [];
        const said = error ? `\n  ${error.message.split("\n")[0]}` : "";
        const name = `${module.project.name} ${module.relativeModuleId} > ${test.fullName}`;
        return [`retried: ${name} (${retries} ${retries === 1 ? "retry" : "retries"})${said}`];
      }),
    );
    process.stdout.write(`${lines.join("\n") || "retried: none"}\n`);
  }
}

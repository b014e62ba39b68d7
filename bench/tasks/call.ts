import { defineOptions, KagurazakaTask, RetryAfterError } from "kagurazaka";

const options = defineOptions({
  items: { type: "integer", default: 1, help: "how many requests" },
  port: { type: "integer", default: 0, help: "the service's port; 0: no request is made" },
  scope: { type: "string", default: "", help: "the scope of what it refuses; empty: each request waits alone" },
});

export class Call extends KagurazakaTask<{ n: number }, typeof options> {
  static options = options;

  override *generateTasks() {
    for (let n = 0; n < this.options.items; n++) yield { n };
  }

  async process({ n }: { n: number }) {
    if (this.options.port === 0) return;
    const response = await fetch(`http://127.0.0.1:${this.options.port}/${n}`);
    await response.text();
    if (response.status === 429) {
      const waitMs = Number(response.headers.get("retry-after-ms"));
      throw new RetryAfterError(waitMs, this.options.scope || undefined);
    }
  }
}

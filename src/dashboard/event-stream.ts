import type { ServerResponse } from "node:http";

const MAX_CLIENTS = 100;
/** What may wait for one client, in bytes. A slower one is cut off; its browser connects again and gets the whole state. */
const MAX_WAITING = 4 * 1024 * 1024;
/** So often a client hears that the server lives, in milliseconds. */
const BEAT_EVERY_MS = 5000;

/** Server-sent events to all pages that are open. */
export class EventStream {
  readonly #clients = new Set<ServerResponse>();
  readonly #onAudience: (isListening: boolean) => void;
  #beat: NodeJS.Timeout | undefined;

  /** @param onAudience called when the first client comes, and when the last one has gone */
  constructor(onAudience: (isListening: boolean) => void) {
    this.#onAudience = onAudience;
  }

  get isFull(): boolean {
    return this.#clients.size >= MAX_CLIENTS;
  }

  /** @param event the first event of the client, which says all that was said before */
  add(client: ServerResponse, event: string, data: unknown): void {
    if (client.destroyed) return;
    client.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "x-accel-buffering": "no" });
    client.write(formatEvent(event, data));
    this.#clients.add(client);
    client.on("close", () => this.#remove(client));
    client.on("error", () => this.#remove(client));
    if (this.#clients.size > 1) return;
    this.#beat = setInterval(() => this.send("beat", {}), BEAT_EVERY_MS);
    this.#onAudience(true);
  }

  send(event: string, data: unknown): void {
    if (this.#clients.size === 0) return;
    const text = formatEvent(event, data);
    for (const client of [...this.#clients]) {
      if (client.writableLength <= MAX_WAITING) client.write(text);
      else client.destroy();
    }
  }

  close(): void {
    for (const client of [...this.#clients]) client.end();
  }

  #remove(client: ServerResponse): void {
    if (!this.#clients.delete(client) || this.#clients.size > 0) return;
    clearInterval(this.#beat);
    this.#onAudience(false);
  }
}

/** JSON has no line breaks, so that the data of an event are one line. */
const formatEvent = (event: string, data: unknown): string => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

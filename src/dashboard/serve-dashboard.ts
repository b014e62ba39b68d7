import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { hostname } from "node:os";
import { KagurazakaError } from "../base/errors.js";
import type { FleetControl } from "../contracts/fleet-control.js";
import { EventStream } from "./event-stream.js";
import { Feed } from "./feed.js";
import { isLoopback, isWildcard, urlHost } from "./guard.js";
import { FleetPoller } from "./poller.js";
import { createHandler, type DashboardMount } from "./routes.js";

interface DashboardOptions {
  /** What the dashboard shows. It stays open when the dashboard closes. */
  readonly control: FleetControl;
  /** The address that it listens on. @defaultValue "127.0.0.1" */
  readonly host?: string;
  /** 0 is any port that is free. @defaultValue 7979 */
  readonly port?: number;
  /** Whether its users may cancel runs. @defaultValue false */
  readonly allowCancel?: boolean;
  /** Names by which browsers may reach it, besides `host`, IP addresses, localhost and, beyond loopback, the name of this machine. */
  readonly allowedHosts?: readonly string[];
  /** Another page, below a path of its own. */
  readonly mount?: DashboardMount;
  /** Gets a sentence that the one who starts the dashboard should read. */
  readonly onWarning?: (message: string) => void;
  /** How often open pages are told of the state, in milliseconds. @defaultValue 1000 */
  readonly pollEveryMs?: number;
}

interface Dashboard extends AsyncDisposable {
  /** As `http://127.0.0.1:7979/`. */
  readonly url: string;
  readonly port: number;
}

export const DEFAULT_HOST = "127.0.0.1";
export const DEFAULT_PORT = 7979;

/**
 * How long the queue may take to answer, in milliseconds. Well below the time after which Prometheus gives up a scrape, which is
 * 10 s by default: else `queue_up 0` would never arrive.
 */
const ANSWER_WITHIN_MS = 4000;

/**
 * Serves the page of a fleet until it is disposed of. It asks the queue once a second while a page is open, and else only when
 * it is asked itself.
 * @throws KagurazakaError `environment` where it cannot listen
 */
export async function serveDashboard(options: DashboardOptions): Promise<Dashboard> {
  const { control, host = DEFAULT_HOST, port = DEFAULT_PORT, allowCancel = false, mount } = options;
  const feed = new Feed();
  const poller = new FleetPoller(control, {
    everyMs: options.pollEveryMs ?? 1000,
    timeoutMs: ANSWER_WITHIN_MS,
    onState: (state) => events.send("state", feed.next(state)),
  });
  const events = new EventStream((isListening) => poller.setPolling(isListening));
  const names = [host, ...(isLoopback(host) ? [] : [hostname()]), ...(options.allowedHosts ?? [])];
  const allowedHosts = names.map((name) => name.toLowerCase());
  const server = createServer(createHandler({ control, poller, feed, events, allowCancel, allowedHosts, mount }));
  await listen(server, host, port);
  const bound = (server.address() as AddressInfo).port;
  if (!isLoopback(host)) options.onWarning?.(openToOthers(host, allowCancel));
  return {
    url: `http://${isWildcard(host) ? hostname() : urlHost(host)}:${bound}/`,
    port: bound,
    async [Symbol.asyncDispose]() {
      poller.setPolling(false);
      events.close();
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const place = `port ${port} of ${host}`;
    if (code === "EADDRINUSE")
      throw new KagurazakaError("environment", `the dashboard cannot listen: ${place} is in use`, {
        hint: "Another dashboard may be running. --port takes another port; 0 is any that is free.",
        cause: error,
      });
    throw new KagurazakaError("environment", `the dashboard cannot listen on ${place}: ${message}`, {
      hint: "--host takes an address of this machine, --port a port from 1024 on.",
      cause: error,
    });
  }
}

function openToOthers(host: string, allowCancel: boolean): string {
  const may = allowCancel ? "reads keys and stacks, and can cancel runs" : "reads keys and stacks";
  return `the dashboard listens on ${host} and has no password: whoever reaches this port ${may}`;
}

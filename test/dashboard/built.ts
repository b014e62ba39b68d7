import type { FleetControl } from "../../src/contracts/fleet-control.js";

type Module = typeof import("../../src/dashboard/serve-dashboard.js");
type Options = Omit<Parameters<Module["serveDashboard"]>[0], "control">;
export type Dashboard = Awaited<ReturnType<Module["serveDashboard"]>>;

/** The dashboard as it was built, with the files that the build has copied. */
export async function serveBuilt(control: FleetControl, options: Options): Promise<Dashboard> {
  const url = new URL("../../dist/src/dashboard/serve-dashboard.js", import.meta.url).href;
  const { serveDashboard } = (await import(url)) as Module;
  return serveDashboard({ control, ...options });
}

import type { Partition } from "../../contracts/partition.js";
import { highestGeneration, leasesIn } from "./generations.js";
import { ownProcess } from "./host.js";
import { type DeadHolders, isNeighbour, judgeHolder, type Watch } from "./liveness.js";
import { areDisjoint } from "./partition.js";

/**
 * Watches all holders on other machines that stand in the way of a partition, at the same time: each may take `factor`
 * intervals. Returns those that are dead.
 * @param leaseDirs `<run dir>/lease` of each root
 */
export async function watchHolders(
  leaseDirs: readonly string[],
  partition: Partition,
  { self = ownProcess(), intervalMs = 2000, factor = 10, onWait = () => {}, signal }: Partial<Omit<Watch, "dead">>,
): Promise<DeadHolders> {
  const watch: Watch = { self, intervalMs, factor, onWait, signal, dead: new Map() };
  const away = leaseDirs.flatMap(leasesIn).flatMap((dir) => {
    const holder = highestGeneration(dir);
    if (holder === undefined || holder.free) return [];
    const isInTheWay = holder.record === null || !areDisjoint(holder.record.scope, partition);
    return isInTheWay && !(holder.record && isNeighbour(holder.record, watch.self)) ? [{ dir, holder }] : [];
  });
  // A single one is watched when its lease is acquired.
  if (away.length < 2) return new Map();
  const verdicts = await Promise.all(away.map(({ dir, holder }) => judgeHolder(dir, holder, watch)));
  return new Map(away.flatMap(({ dir, holder }, i) => (verdicts[i] === "dead" ? [[dir, holder.generation]] : [])));
}

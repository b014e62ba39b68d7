/** The exports of the lease for the rest of the runner. */
export { HeartbeatThread } from "./beat.js";
export { type Holder, holdersOf } from "./holders.js";
export { ownProcess } from "./host.js";
export { type Lease, type LeaseRequest, openLease } from "./open-lease.js";
export { areDisjoint, partitionName } from "./partition.js";
export { watchHolders } from "./watch-holders.js";

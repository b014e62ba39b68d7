import { statfsSync } from "node:fs";

/** Types of file systems that several machines may write to, as Linux numbers them (statfs(2), linux/magic.h). */
const SHARED: ReadonlySet<number> = new Set([
  0x6969, // NFS
  0xff534d42, // CIFS
  0xfe534d42, // SMB 2
  0x517b, // SMB
  0x01021997, // 9P
  0x65735546, // FUSE: sshfs, s3fs, folders of a host in a virtual machine
  0x00c36400, // Ceph
  0x0bd00bd0, // Lustre
  0x47504653, // GPFS
  0x19830326, // BeeGFS
  0x01161970, // GFS2
  0x7461636f, // OCFS2
  0x5346414f, // AFS
]);

/** Whether other machines may write there too. False where the system gives no type, as on macOS. */
export function isSharedFileSystem(dir: string): boolean {
  if (process.platform !== "linux") return false;
  try {
    return SHARED.has(statfsSync(dir).type);
  } catch {
    return false;
  }
}

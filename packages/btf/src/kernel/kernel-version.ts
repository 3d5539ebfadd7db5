/** KernelNames are the texts by which a kernel names its version. */
export interface KernelNames {
  /** `/proc/version_signature` of Ubuntu: "Ubuntu 5.4.0-12.15-generic 5.4.8"; empty if there is none. */
  readonly signature: string;
  /** `uname -v`. */
  readonly version: string;
  /** `uname -r`. */
  readonly release: string;
}

/** The kernel's macro has one byte for the last number, and keeps the largest value for larger ones. */
const MAX_LAST = 255;

/**
 * kernelVersionOf returns the version of a kernel as LINUX_KERNEL_VERSION has it. The releases of Ubuntu and Debian do not
 * have the number of the stable release, so their own texts come first. Modelled on `get_kernel_version` of libbpf.
 *
 * @returns null if no text has a version.
 */
export function kernelVersionOf({ signature, version: build, release: name }: KernelNames): number | null {
  const [, numbers = null] =
    /^\S+\s+\S+\s+(\d+\.\d+\.\d+)/.exec(signature) ??
    /Debian (\d+\.\d+\.\d+)/.exec(build) ??
    /^(\d+\.\d+\.\d+)/.exec(name) ??
    [];
  if (numbers === null) return null;
  const [major = 0, minor = 0, last = 0] = numbers.split('.').map(Number);
  return ((major << 16) | (minor << 8) | Math.min(last, MAX_LAST)) >>> 0;
}

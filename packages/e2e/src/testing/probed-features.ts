import { release } from 'node:os';
import { FEATURE_ROWS, type KernelFeatures, kernelFeaturesOf, probeBtf, probeResult } from '@btfd/btf';
import { BpfError, btfLoad } from '@btfd/native';

/** probedFeatures returns the features of the running kernel, without a daemon. It needs CAP_BPF. */
export async function probedFeatures(): Promise<KernelFeatures> {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  const probed = new Map<string, boolean>();
  for (const [name, { probe }] of FEATURE_ROWS) {
    if (probe === null) continue;
    const isPossible = probe.needs === undefined || probed.get(probe.needs) === true;
    const result = isPossible && probeResult(probe, await errnoOf(probeBtf(probe)));
    if (result === null) throw new Error(`the probe of ${name} failed`);
    probed.set(name, result);
  }
  return { ...kernelFeaturesOf(major, minor), ...Object.fromEntries(probed) };
}

async function errnoOf(bytes: Uint8Array): Promise<string | null> {
  try {
    (await btfLoad(bytes, 0)).close();
    return null;
  } catch (error) {
    if (error instanceof BpfError) return error.code;
    throw error;
  }
}

import { ErrorReason } from '@btfd/api';
import { BtfReadError, formatNote, parseHeader, type BtfHeader, type TypeId } from '@btfd/btf';
import { HOST_ORDER, layoutOf, type KindLayout } from '../../base/kind-layout.js';
import { mayHaveSpecialTypes, type LoadEstimate } from '../../base/load-estimate.js';
import { ServiceError } from '../../error/service-error.js';
import { mostPassNs, passCost } from './pass-cost.js';
import { RawBtf } from './raw-btf.js';
import { searchCost } from './search-cost.js';
import { agreedSizes } from './unknown-kinds.js';
import { unsafeType, type UnsafeType } from './unsafe-types.js';

const NS_PER_MS = 1_000_000;

/** ScreenOptions describe the kernel and what it may be asked to do. */
export interface ScreenOptions {
  readonly maxCheckMs: number;
  /** The layout section of the kernel's own BTF. */
  readonly kernelLayout: KindLayout;
  /** Returns how long the kernel searches its own types for a name, in nanoseconds. */
  readonly kernelSearchNs: () => number;
}

const NOTHING: LoadEstimate = { acceptedMs: 0, refusedMs: 0 };

/**
 * screen refuses BTF that the kernel would take too long to check, and BTF on which some kernels crash or print a warning.
 * It reads BTF as the kernel does, as far as the kernel reads it: malformed BTF passes after that, because the kernel refuses
 * it with a log. BTF with unknown kinds passes, because a later kernel may know them, if one of these holds:
 *
 * - No string in it is a name that the kernel searches for, and it is too small for the rest of the check to take long.
 * - The layout section of the kernel's own BTF states the same sizes for these kinds.
 *
 * @throws ServiceError BTF_TOO_EXPENSIVE if the check would take longer than `maxCheckMs` by estimate.
 * @throws ServiceError BTF_UNSAFE if some kernels write beyond their memory, or warn, when they check the BTF.
 * @throws ServiceError BTF_UNBUILDABLE if the check cannot be estimated.
 */
export function* screen(
  rawBtf: Uint8Array,
  { maxCheckMs, kernelLayout, kernelSearchNs }: ScreenOptions,
): Generator<null, LoadEstimate, void> {
  const header = headerOf(rawBtf, maxCheckMs);
  if (header === null) return NOTHING;
  const btf = yield* RawBtf.read(rawBtf, header, agreedSizes(layoutOf(rawBtf), kernelLayout));
  const pass = yield* passCost(btf);
  const isUnknown = btf.stop?.why === 'UNKNOWN_KIND';
  if (isUnknown) {
    requireHarmless(rawBtf, maxCheckMs, btf.typeBytes, btf.longestName, {
      message: `the size of kind ${btf.stop.kind} is unknown, type id ${btf.end}`,
      typeId: btf.end,
    });
  }
  // The kernel does not search if it cannot read all types.
  const search = btf.stop === null ? yield* searchCost(btf) : null;
  const kernelNs =
    search === null || search.kernelSearches === 0 ? 0 : search.kernelSearches * kernelSearchNs();
  const acceptedMs = (pass.checkNs + (search?.ns ?? 0) + kernelNs) / NS_PER_MS;
  const refusedMs = 2 * acceptedMs + pass.logNs / NS_PER_MS;
  const unsafe = search?.unsafe ?? (yield* unsafeType(btf));
  if (unsafe !== null) throw notSafe(unsafe);
  if (refusedMs > maxCheckMs) throw tooExpensive(refusedMs, maxCheckMs);
  return { acceptedMs, refusedMs };
}

/** Returns null if the kernel refuses the BTF by its header, or if only a later kernel could accept it. */
function headerOf(rawBtf: Uint8Array, maxCheckMs: number): BtfHeader | null {
  try {
    const header = parseHeader(rawBtf);
    if (header.byteOrder !== HOST_ORDER) return null;
    // Bytes between the sections change nothing about the rest. Flags and fields may.
    const unknown = header.notes.find(({ kind }) => kind !== 'UNKNOWN_BYTES');
    if (unknown === undefined) return header;
    requireHarmless(rawBtf, maxCheckMs, rawBtf.length, rawBtf.length, {
      message: formatNote(unknown),
      typeId: null,
    });
  } catch (error) {
    if (!(error instanceof BtfReadError)) throw error;
    if (error.code === 'UNSUPPORTED') {
      requireHarmless(rawBtf, maxCheckMs, rawBtf.length, rawBtf.length, error);
    }
  }
  return null;
}

function requireHarmless(
  rawBtf: Uint8Array,
  maxCheckMs: number,
  typeBytes: number,
  longestName: number,
  { message, typeId }: { readonly message: string; readonly typeId: TypeId | null },
): void {
  const harmless =
    !mayHaveSpecialTypes(rawBtf) && mostPassNs(typeBytes, longestName) / NS_PER_MS <= maxCheckMs;
  if (harmless) return;
  throw new ServiceError(
    ErrorReason.BTF_UNBUILDABLE,
    `the time to check the BTF cannot be estimated: ${message}`,
    { metadata: typeId === null ? {} : { type_id: String(typeId) } },
  );
}

function tooExpensive(estimateMs: number, limitMs: number): ServiceError {
  const words = estimateMs < 1e7 ? `about ${Math.ceil(estimateMs / 1000)} seconds` : 'hours or longer';
  return new ServiceError(
    ErrorReason.BTF_TOO_EXPENSIVE,
    `the kernel would take ${words} to check the BTF; ${limitMs / 1000} seconds are allowed`,
    { metadata: { estimate_ms: String(Math.ceil(estimateMs)), limit_ms: String(limitMs) } },
  );
}

function notSafe({ typeId, problem, remedy }: UnsafeType): ServiceError {
  return new ServiceError(
    ErrorReason.BTF_UNSAFE,
    `type ${typeId} ${problem}, on which some kernels crash or print a warning: ${remedy}`,
    { metadata: { type_id: String(typeId) } },
  );
}

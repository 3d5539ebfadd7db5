import { BtfFormatError, Kind, type Spec, type TypeId } from '@btfd/btf';

/** Types visited in a step: a few milliseconds. */
const TYPES_PER_STEP = 20_000;

/** Time of the kernel for a parameter, in nanoseconds. 0.8 measured on Linux 6.18. */
const NS_PER_PARAM = 1;
const NS_PER_MS = 1_000_000;

/** The size of a FUNC, and of a parameter of a FUNC_PROTO. */
const FUNC_BYTES = 12;
const PARAM_BYTES = 8;

/**
 * functionCost estimates how long the kernel checks parameters, in milliseconds. For each function it checks all
 * parameters of the prototype, and a million functions may share one prototype. The generator yields when other jobs may
 * have a turn.
 */
export function* functionCost(spec: Spec): Generator<null, number, void> {
  const known = new Map<TypeId, number>();
  let params = 0;
  for (const id of spec.typeIds()) {
    if (id % TYPES_PER_STEP === 0) yield null;
    if (spec.kindOf(id) !== Kind.FUNC) continue;
    const type = spec.typeById(id);
    // The kernel stops at an id that does not exist, but has checked the functions before it.
    if (type.kind !== 'FUNC' || type.typeId >= spec.endTypeId) continue;
    let count = known.get(type.typeId);
    if (count === undefined) known.set(type.typeId, (count = paramCount(spec, type.typeId)));
    params += count;
  }
  return (params * NS_PER_PARAM) / NS_PER_MS;
}

/** mostFunctionCost returns the highest {@link functionCost} of BTF of a size: half functions, half parameters. */
export function mostFunctionCost(bytes: number): number {
  const half = bytes / 2;
  return ((half / FUNC_BYTES) * (half / PARAM_BYTES) * NS_PER_PARAM) / NS_PER_MS;
}

/**
 * Counts the parameters of a prototype. If a name cannot be read it returns the most that fit, because the kernel checks
 * the names of parameters last.
 */
function paramCount(spec: Spec, id: TypeId): number {
  try {
    const type = spec.typeById(id);
    return type.kind === 'FUNC_PROTO' ? type.params.length : 0;
  } catch (error) {
    if (error instanceof BtfFormatError) return spec.bytes.length / PARAM_BYTES;
    throw error;
  }
}

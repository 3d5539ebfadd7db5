import { BtfFormatError, Kind, type Spec, type TypeId } from '@btfd/btf';

/** Types looked at in a step: a few milliseconds. */
const TYPES_PER_STEP = 20_000;

/** What the kernel takes for a parameter, in nanoseconds: 0.8 measured on Linux 6.18. */
const NS_PER_PARAM = 1;
const NS_PER_MS = 1_000_000;

/** The least that a FUNC takes, and what a parameter of a FUNC_PROTO takes, in bytes. */
const FUNC_BYTES = 12;
const PARAM_BYTES = 8;

/**
 * functionCost estimates how long the kernel looks at parameters, in milliseconds: at all of a prototype's for each
 * function that has it, of which there may be a million. It yields where others may have a turn.
 */
export function* functionCost(spec: Spec): Generator<null, number, void> {
  const known = new Map<TypeId, number>();
  let params = 0;
  for (let id = 1; id < spec.endTypeId; id++) {
    if (id % TYPES_PER_STEP === 0) yield null;
    if (spec.kindOf(id) !== Kind.FUNC) continue;
    const type = spec.typeById(id);
    // At an id of nothing the kernel stops, but has looked at those before.
    if (type.kind !== 'FUNC' || type.typeId >= spec.endTypeId) continue;
    let count = known.get(type.typeId);
    if (count === undefined) known.set(type.typeId, (count = paramCount(spec, type.typeId)));
    params += count;
  }
  return (params * NS_PER_PARAM) / NS_PER_MS;
}

/** mostFunctionCost is the most that {@link functionCost} can be for BTF of so many bytes: half functions, half parameters. */
export function mostFunctionCost(bytes: number): number {
  const half = bytes / 2;
  return ((half / FUNC_BYTES) * (half / PARAM_BYTES) * NS_PER_PARAM) / NS_PER_MS;
}

/** As many as could be where a name cannot be read: the kernel looks at names of parameters last. */
function paramCount(spec: Spec, id: TypeId): number {
  try {
    const type = spec.typeById(id);
    return type.kind === 'FUNC_PROTO' ? type.params.length : 0;
  } catch (error) {
    if (error instanceof BtfFormatError) return spec.bytes.length / PARAM_BYTES;
    throw error;
  }
}

import type { ByteOrder } from '../header.js';

/** Label is a place in a program that may not be known yet. */
export type Label = symbol;

/** ProgramAssembler writes BPF instructions. */
export class ProgramAssembler {
  readonly #instructions: Instruction[] = [];
  readonly #labels = new Map<Label, number>();

  /** @param order the byte order of the result. */
  constructor(readonly order: ByteOrder = 'little') {}

  /** The number of instructions so far. */
  get count(): number {
    return this.#instructions.length;
  }

  /** add appends an instruction. @returns its number. */
  add(opcode: number, dst = 0, src = 0, offset: number | Label = 0, immediate: number | Label = 0): number {
    return this.#instructions.push({ opcode, dst, src, offset, immediate }) - 1;
  }

  /** load64 appends `ld_imm64`. */
  load64(dst: number, value: bigint, src = 0): number {
    const at = this.add(0x18, dst, src, 0, Number(BigInt.asIntN(32, value)));
    this.add(0, 0, 0, 0, Number(BigInt.asIntN(32, value >> 32n)));
    return at;
  }

  /** jump appends a jump whose target is a label. */
  jump(
    opcode: number,
    dst: number,
    operand: { readonly src?: number; readonly immediate?: number },
    to: Label,
  ): number {
    return this.add(opcode, dst, operand.src ?? 0, to, operand.immediate ?? 0);
  }

  /** call appends a call of a function. */
  call(to: Label): number {
    return this.add(0x85, 0, 1, 0, to);
  }

  /** here places a label before the next instruction. */
  here(label: Label): void {
    this.#labels.set(label, this.count);
  }

  /** placeOf returns the instruction after a label. */
  placeOf(label: Label): number {
    const place = this.#labels.get(label);
    if (place === undefined) throw new Error(`no place for ${String(label)}`);
    return place;
  }

  /** bytes returns the instructions, with the distances to their labels. */
  bytes(): Uint8Array {
    const isLittle = this.order === 'little';
    const view = new DataView(new ArrayBuffer(8 * this.count));
    const resolve = (value: number | Label, i: number): number =>
      typeof value === 'symbol' ? this.placeOf(value) - i - 1 : value;
    for (const [i, { opcode, dst, src, offset, immediate }] of this.#instructions.entries()) {
      view.setUint8(8 * i, opcode);
      view.setUint8(8 * i + 1, isLittle ? dst | (src << 4) : (dst << 4) | src);
      view.setInt16(8 * i + 2, resolve(offset, i), isLittle);
      view.setInt32(8 * i + 4, resolve(immediate, i), isLittle);
    }
    return new Uint8Array(view.buffer);
  }
}

interface Instruction {
  readonly opcode: number;
  readonly dst: number;
  readonly src: number;
  readonly offset: number | Label;
  readonly immediate: number | Label;
}

import type { Changed, MemberFact, SpecDiff, TagFact, TypeChange, TypeFacts, ValueFact } from '@btfd/btf';
import type { Colors } from '../output/colors.js';
import { printable } from '../output/safe-text.js';
import { counted, grouped, offsetText } from '../output/numbers.js';
import { splitMoved } from './moved.js';

/** Sides are the names of the two sides. */
export interface Sides {
  readonly a: string;
  readonly b: string;
}

/** diffText returns the differences for people, with the marks of `diff -u` and `~` for a change. */
export function diffText({ a, b }: Sides, diff: SpecDiff, colors: Colors): string {
  const { added, removed, changed, same } = diff;
  const plus = (text: string): string => colors.good(`+ ${text}`);
  const minus = (text: string): string => colors.bad(`- ${text}`);
  const writer = new ChangeWriter(colors);
  return [
    colors.bad(`--- ${printable(a)}`),
    colors.good(`+++ ${printable(b)}`),
    ...removed.map((type) => minus(typeLine(type))),
    ...added.map((type) => plus(typeLine(type))),
    ...changed.flatMap((change) => writer.lines(change)),
    `${grouped(removed.length)} removed, ${grouped(added.length)} added, ${grouped(changed.length)} changed, ${grouped(same)} the same`,
    '',
  ].join('\n');
}

function typeLine(type: TypeFacts): string {
  const { kind, declaration, size } = type;
  if (kind === 'func' || kind === 'var') return printable(`${kind} ${declaration ?? ''}`);
  return printable(typeName(type)) + (size === null ? '' : `, ${counted(size, 'byte')}`);
}

/** Returns a type's kind and name. */
function typeName({ kind, name }: { readonly kind: string; readonly name: string }): string {
  return `${kind} ${name === '' ? '(anonymous)' : name}`;
}

/** diffNames returns a line for each type that differs: `+ struct new`, `- struct old`, `~ struct changed`. */
export function diffNames({ removed, added, changed }: SpecDiff): string[] {
  return [
    ...removed.map((type) => `- ${typeName(type)}`),
    ...added.map((type) => `+ ${typeName(type)}`),
    ...changed.map((type) => `~ ${typeName(type)}`),
  ];
}

class ChangeWriter {
  readonly #colors: Colors;

  constructor(colors: Colors) {
    this.#colors = colors;
  }

  lines({ size, declaration, members, values, tags, ...type }: TypeChange): string[] {
    const { moved, others } = splitMoved(members.changed);
    const sizes = size === null ? '' : `, ${sizeChange(size)}`;
    return [
      this.#colors.changed(`~ ${printable(typeName(type))}${sizes}`),
      ...(declaration === null
        ? []
        : [this.#minus(declaration.from ?? '-'), this.#plus(declaration.to ?? '-')]),
      ...tags.removed.map((tag) => this.#minus(tagText(tag))),
      ...tags.added.map((tag) => this.#plus(tagText(tag))),
      ...members.removed.map((member) => this.#minus(memberText(member))),
      ...members.added.map((member) => this.#plus(memberText(member))),
      ...others.map(({ from, to }) => this.#changed(memberChange(from, to))),
      ...moved.map(({ first, count, bits }) =>
        this.#changed(
          `${count === 1 ? shown(first) : `${grouped(count)} members from ${shown(first)} on`} moved by ${distance(bits)}`,
        ),
      ),
      ...values.removed.map((value) => this.#minus(valueText(value))),
      ...values.added.map((value) => this.#plus(valueText(value))),
      ...values.changed.map(({ from, to }) => this.#changed(`${from.name} = ${from.value} → ${to.value}`)),
    ];
  }

  #plus(text: string): string {
    return this.#colors.good(`    + ${printable(text)}`);
  }

  #minus(text: string): string {
    return this.#colors.bad(`    - ${printable(text)}`);
  }

  #changed(text: string): string {
    return this.#colors.changed(`    ~ ${printable(text)}`);
  }
}

function sizeChange({ from, to }: Changed<number | null>): string {
  return `${from === null ? '-' : grouped(from)} → ${to === null ? '-' : counted(to, 'byte')}`;
}

/** Returns the name of a member, which bitfields for padding do not have. */
function shown(name: string): string {
  return name === '' ? '(unnamed)' : name;
}

function memberText(member: MemberFact): string {
  return `${shown(member.name)}: ${typeText(member)} at ${placeText(member)}`;
}

function memberChange(from: MemberFact, to: MemberFact): string {
  const type = typeText(from) === typeText(to) ? '' : ` ${typeText(from)} → ${typeText(to)}`;
  const moved = from.bitOffset === to.bitOffset ? '' : ` at ${placeText(from)} → ${placeText(to)}`;
  return `${shown(from.name)}:${type}${type === '' || moved === '' ? '' : ','}${moved}`;
}

function valueText({ name, value }: ValueFact): string {
  return `${name} = ${value}`;
}

function typeText({ type, bitfieldSize, tags }: MemberFact): string {
  const attributes = tags.map((tag) => ` ${attribute(tag)}`).join('');
  return `${type}${bitfieldSize === 0 ? '' : `:${bitfieldSize}`}${attributes}`;
}

function tagText({ text, parameter }: TagFact): string {
  return `${attribute(text)}${parameter === null ? '' : ` of parameter ${parameter + 1}`}`;
}

/** Returns a tag as C writes it, in the form that type names have. */
function attribute(tag: string): string {
  return `__attribute__((${tag}))`;
}

function placeText({ bitOffset, bitfieldSize }: MemberFact): string {
  return offsetText(bitOffset, bitfieldSize > 0);
}

function distance(bits: number): string {
  const sign = bits < 0 ? '-' : '+';
  const size = Math.abs(bits);
  return sign + (size % 8 === 0 ? counted(size / 8, 'byte') : counted(size, 'bit'));
}

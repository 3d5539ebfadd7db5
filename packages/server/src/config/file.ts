import { isAlias, isScalar, isSeq, type Node } from 'yaml';
import { unknownName } from '../base/text.js';
import { YamlMap } from '../base/yaml-map.js';
import { whyRemoved } from './limits.js';
import type { Setting, SettingText, Source } from './setting.js';

/** parseConfig reads settings from a YAML file, which is a map with a key for each. Problems name the file and line. */
export function parseConfig(text: string, path: string, settings: readonly Setting<unknown>[]): Source {
  // As texts: only the kind of a setting knows what its value means.
  const map = new YamlMap(text, path, 'failsafe', 'a map of settings, such as "max-ttl: 30m"');
  const given = new Map<string, SettingText>();
  const problems = [...map.problems];
  for (const { name, key, value } of map.fields) {
    const origin = map.whereIs(key);
    const setting = settings.find((each) => each.name === name);
    if (setting === undefined) {
      problems.push(`${origin}: ${unknownKey(name, settings)}`);
      continue;
    }
    const texts = textsOf(value, setting.kind.isList);
    if (texts === null) {
      const wanted = setting.kind.isList ? 'a value or a list of values' : 'one value';
      problems.push(`${origin}: ${name}: expected ${wanted}`);
    } else {
      given.set(name, { texts, origin, subject: `${origin}: ${name}` });
    }
  }
  return { given, problems };
}

function unknownKey(name: string, settings: readonly Setting<unknown>[]): string {
  const removed = whyRemoved(name, (setting) => setting.name);
  if (removed !== null) return `${name} ${removed}`;
  return unknownName(
    'key',
    name,
    settings.map((each) => each.name),
  );
}

function textsOf(node: Node | null, mayBeList: boolean): string[] | null {
  const text = textOf(node);
  if (text !== null) return [text];
  if (!mayBeList || !isSeq<Node | null>(node)) return null;
  const texts: string[] = [];
  for (const item of node.items) {
    const each = textOf(item);
    if (each === null) return null;
    texts.push(each);
  }
  return texts;
}

/** Returns null for a node that is not a text: nothing, a list, a map, or an alias. */
function textOf(node: Node | null): string | null {
  if (isAlias(node) || !isScalar(node) || typeof node.value !== 'string') return null;
  return node.value === '' && node.type === 'PLAIN' ? null : node.value;
}

// Reports words and phrases in comments, documents, messages and names of tests that have a plainer form:
//
//     node scripts/lint-prose.js [--count] [PATH…]
//
// Without a PATH it reads all files that git knows. Each place is printed as `file:line: "…" — advice`. With
// --count only the number of them is printed, for each package. The exit status is 1 if there is a place.
// The words are in prose/rules.js.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { findHits } from './prose/find-hits.js';
import { hasProse, passagesOf } from './prose/passages.js';

/** Code that is generated, files that others wrote, and the words themselves. */
const LEFT_OUT = /(?:^|\/)(?:gen|testdata|node_modules|dist)\/|^scripts\/prose\/rules[.]js$|lock[.]yaml$/;

const args = process.argv.slice(2);
const count = args.includes('--count');
const paths = args.filter((arg) => !arg.startsWith('--'));

const listed = execFileSync('git', ['ls-files', '-z', '-co', '--exclude-standard', '--', ...paths], {
  encoding: 'utf8',
});
const files = [...new Set(listed.split('\0'))].filter((path) => hasProse(path) && !LEFT_OUT.test(path));

/** @type {Map<string, number>} */
const counts = new Map();
for (const path of files) {
  for (const { line, text } of await passagesOf(path, readFileSync(path, 'utf8'))) {
    for (const { offset, found, advice } of findHits(text)) {
      const hitLine = line + text.slice(0, offset).split('\n').length - 1;
      counts.set(packageOf(path), (counts.get(packageOf(path)) ?? 0) + 1);
      if (!count) console.log(`${path}:${hitLine}: "${around(text, offset, found.length)}" — ${advice}`);
    }
  }
}

const total = [...counts.values()].reduce((sum, hits) => sum + hits, 0);
if (count) {
  for (const name of [...counts.keys()].toSorted()) {
    console.log(`${String(counts.get(name)).padStart(6)} ${name}`);
  }
  console.log(`${String(total).padStart(6)} in all`);
} else if (total > 0) {
  console.error(`${total} places to reword`);
}
if (total > 0) process.exitCode = 1;

/** The folder of the package that a file belongs to. */
function packageOf(path) {
  const folders = path.split('/');
  if (folders.length === 1) return '(root)';
  return folders.slice(0, folders[0] === 'packages' ? 2 : 1).join('/');
}

/** A part of a text with a few words on both sides, in one line. */
function around(text, offset, length) {
  const start = text.slice(0, offset).search(/\S{0,12}\s*\S{0,12}\s*$/);
  const end = offset + length + (/^\s*\S*\s*\S*/.exec(text.slice(offset + length))?.[0].length ?? 0);
  return text.slice(start, end).replaceAll(/\s+/g, ' ').trim();
}

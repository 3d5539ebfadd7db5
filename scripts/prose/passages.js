import { basename, extname } from 'node:path';
import { parsers as babel } from 'prettier/plugins/babel';
import { parsers as markdown } from 'prettier/plugins/markdown';

/**
 * A passage of prose, with the line of its file on which it begins. Its line breaks are those of the file, and
 * the code in it is blanked.
 *
 * @typedef {{ line: number, text: string }} Passage
 */

/** The reader for each kind of file. */
const READERS = [
  [/[.](?:ts|js|mjs)$/, scriptPassages],
  [/[.](?:cc?|h|proto)$/, cPassages],
  [/[.]md$/, markdownPassages],
  [/[.]schema[.]json$/, schemaPassages],
  [/[.](?:sh|py|ya?ml|service|socket|conf)$|^Containerfile|^run$/, hashPassages],
];

/** Whether a file has prose to be read. */
export function hasProse(path) {
  return readerOf(path) !== undefined;
}

/**
 * Reads the passages of a file: its comments, and of a script also its messages. Of a test it reads the names
 * of the tests, and no other strings.
 *
 * @param {string} path
 * @param {string} source
 * @returns {Promise<Passage[]>}
 */
export async function passagesOf(path, source) {
  return (await readerOf(path)?.(source, path)) ?? [];
}

function readerOf(path) {
  return READERS.find(([names]) => names.test(basename(path)))?.[1];
}

async function scriptPassages(source, path) {
  const parser = extname(path) === '.ts' ? babel['babel-ts'] : babel.babel;
  const { comments, program } = await parser.parse(source, { filepath: path });
  const isTest = path.endsWith('.test.ts');
  const isFixture = /\/src\/testing\//.test(path);
  const strings = isFixture ? [] : isTest ? testNames(program) : messages(program);
  const lineComments = comments.filter(({ type }) => type === 'CommentLine');
  const blockComments = comments.filter(({ type }) => type === 'CommentBlock');
  return [
    ...joined(
      lineComments.map(({ value, loc }) => ({ line: loc.start.line, column: loc.start.column, text: value })),
    ),
    ...blockComments.map(({ value, loc }) => block(loc.start.line, value)),
    ...strings.map((node) => ({
      line: node.loc.start.line,
      text: withoutCode(stringText(node, source)),
    })),
  ];
}

/** The text of a string or a template. Its computed parts become an X, and its escaped line breaks blanks. */
function stringText(node, source) {
  const isTemplate = node.type === 'TemplateLiteral';
  const pieces = isTemplate ? node.quasis : [{ start: node.start + 1, end: node.end - 1 }];
  const text = pieces.map(({ start, end }, index) => {
    const computed =
      index === 0 ? '' : `X${source.slice(pieces[index - 1].end, start).replaceAll(/[^\n]/g, '')}`;
    return computed + source.slice(start, end);
  });
  return text
    .join('')
    .replaceAll(/\\[nrt]/g, '  ')
    .replaceAll(/\\([^\n])/g, '$1');
}

function messages(program) {
  const found = [];
  walk(program, (node) => {
    if (node.type === 'StringLiteral' && node.value.includes(' ')) found.push(node);
    if (node.type === 'TemplateLiteral' && node.quasis.some(({ value }) => value.raw.includes(' '))) {
      found.push(node);
    }
  });
  return found;
}

function testNames(program) {
  const found = [];
  walk(program, (node) => {
    if (node.type !== 'CallExpression' || !isTestFunction(node.callee)) return;
    const [name] = node.arguments;
    if (name?.type === 'StringLiteral' || name?.type === 'TemplateLiteral') found.push(name);
  });
  return found;
}

/** Whether an expression is `test`, `describe`, `it`, or one of them with `.each(…)`, `.skip`. */
function isTestFunction(node) {
  if (node.type === 'Identifier') return ['test', 'it', 'describe'].includes(node.name);
  if (node.type === 'MemberExpression') return isTestFunction(node.object);
  if (node.type === 'CallExpression') return isTestFunction(node.callee);
  return node.type === 'TaggedTemplateExpression' && isTestFunction(node.tag);
}

function walk(node, visit) {
  if (node === null || typeof node !== 'object') return;
  if (typeof node.type === 'string') visit(node);
  for (const [key, value] of Object.entries(node)) {
    if (key !== 'loc' && key !== 'comments') walk(value, visit);
  }
}

function cPassages(source) {
  const lines = [];
  const others = [];
  for (const match of source.matchAll(/"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'|\/\/.*|\/\*[^]*?\*\//g)) {
    const [found] = match;
    const at = place(source, match.index);
    if (found.startsWith('//')) lines.push({ ...at, text: found.slice(2) });
    else if (found.startsWith('/*')) others.push(block(at.line, found.slice(2, -2)));
    else if (found.includes(' ')) others.push({ line: at.line, text: withoutCode(found.slice(1, -1)) });
  }
  return [...joined(lines), ...others];
}

function hashPassages(source) {
  const lines = [];
  const docStrings = [];
  for (const match of source.matchAll(/"""([^]*?)"""|(?:^|\s)#(?![!])(.*)/g)) {
    const [found, docString, comment] = match;
    const at = place(source, match.index + found.search(/["#]/));
    if (docString !== undefined) docStrings.push({ line: at.line, text: withoutCode(docString) });
    else lines.push({ ...at, text: comment });
  }
  return [...joined(lines), ...docStrings];
}

function schemaPassages(source) {
  return [...source.matchAll(/"description": "(.*)"/g)].map((match) => ({
    line: place(source, match.index).line,
    text: withoutCode(match[1]),
  }));
}

async function markdownPassages(source) {
  const root = await markdown.markdown.parse(source, {});
  const found = [];
  const read = (node) => {
    if (['heading', 'paragraph', 'tableCell'].includes(node.type)) found.push(markdownText(node, source));
    else node.children?.forEach(read);
  };
  read(root);
  return found;
}

function markdownText(node, source) {
  const { start, end } = node.position;
  let text = source.slice(start.offset, end.offset);
  const blank = (inner) => {
    if (['inlineCode', 'html', 'image'].includes(inner.type)) {
      const [from, to] = [inner.position.start.offset, inner.position.end.offset];
      text = replaced(text, from - start.offset, to - start.offset);
    }
    if (inner.type === 'link') {
      const last = inner.children.at(-1)?.position.end.offset ?? inner.position.start.offset;
      text = replaced(text, last - start.offset, inner.position.end.offset - start.offset);
    }
    inner.children?.forEach(blank);
  };
  blank(node);
  return { line: start.line, text: text.replace(/^#+ /, '') };
}

/** A text with a part replaced by underscores, line breaks kept. */
function replaced(text, from, to) {
  return text.slice(0, from) + text.slice(from, to).replaceAll(/[^\n]/g, '_') + text.slice(to);
}

/** A block comment without the stars in front of its lines. */
function block(line, value) {
  return { line, text: withoutCode(value.replaceAll(/^\s*\*+ ?/gm, '')) };
}

/** Comments on lines that follow each other, in the same column, joined into passages. */
function joined(comments) {
  const passages = [];
  let last;
  for (const { line, column, text } of comments) {
    if (last !== undefined && last.column === column && line === last.next) last.lines.push(text);
    else {
      last = { line, column, lines: [text] };
      passages.push(last);
    }
    last.next = line + 1;
  }
  return passages.map(({ line, lines }) => ({ line, text: withoutCode(lines.join('\n')) }));
}

/** A text with its code blanked: in backticks, in fences, in `{@link …}`, and in lines indented by four. */
function withoutCode(text) {
  return text
    .replaceAll(/```[^]*?```|`[^`]*`|\{@\w+ [^}]*\}/g, (code) => replaced(code, 0, code.length))
    .replaceAll(/^ {4,}.*$/gm, '');
}

function place(source, offset) {
  const before = source.slice(0, offset);
  return { line: before.split('\n').length, column: offset - (before.lastIndexOf('\n') + 1) };
}

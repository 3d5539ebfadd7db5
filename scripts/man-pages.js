import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * writeManPages writes the manual of a program: its page, and one for each of its commands if `commandPages` is true. The
 * texts are those of `--help`.
 *
 * @param {import('commander').Command} program
 * @param {object} options
 * @param {string} options.dir the folder of the files
 * @param {number} options.section the section of the manual
 * @param {string} options.version
 * @param {boolean} options.commandPages
 * @param {[number, string][]} options.statuses the exit statuses with their meanings, for the page of the program
 * @param {string[]} options.seeAlso other pages, such as `btfd(8)`
 * @returns {string[]} the names of the files
 */
export function writeManPages(program, options) {
  mkdirSync(options.dir, { recursive: true });
  const commands = options.commandPages ? [program, ...commandsBelow(program)] : [program];
  return commands.map((command) => {
    const file = `${pageName(command)}.${options.section}`;
    writeFileSync(join(options.dir, file), manPage(command, options));
    return file;
  });
}

function commandsBelow(command) {
  return command.commands.flatMap((one) => [one, ...commandsBelow(one)]);
}

/** The words that are typed for a command, such as `btfctl context set`. */
function wordsOf(command) {
  return command.parent === null ? [command.name()] : [...wordsOf(command.parent), command.name()];
}

function pageName(command) {
  return wordsOf(command).join('-');
}

function manPage(command, { section, version, commandPages, statuses, seeAlso }) {
  const help = command.createHelp();
  const [program] = wordsOf(command);
  const isProgram = command.parent === null;
  const [summary, ...introduction] = help.commandDescription(command).split('\n\n');
  const [text, examples = ''] = endOfHelp(command).split(/^For example:\n/m);
  const commandItem = (one) => {
    // Only commander's own `help` is not among the commands.
    const page = commandPages && command.commands.includes(one) ? ` See ${pageName(one)}(${section}).` : '';
    return [usage(help.subcommandTerm(one)), roman(sentence(help.subcommandDescription(one)) + page)];
  };
  const pages = isProgram ? seeAlso : [`${program}(${section})`, ...seeAlso];
  const sections = [
    [
      'NAME',
      `${roman(pageName(command))} \\- ${roman(summary.replace(/[.]$/, '').replace(/^./, (one) => one.toLowerCase()))}`,
    ],
    ['SYNOPSIS', `${bold(wordsOf(command).join(' '))} ${usage(command.usage())}`],
    ['DESCRIPTION', paragraphs([...introduction, text].join('\n\n'))],
    [
      'ARGUMENTS',
      items(
        help
          .visibleArguments(command)
          .map((one) => [italic(one.name()), roman(help.argumentDescription(one))]),
      ),
    ],
    ...optionGroups(command, help).map(([title, options]) => [
      title,
      items(options.map((one) => [flags(help.optionTerm(one)), roman(help.optionDescription(one))])),
    ]),
    ['COMMANDS', items(help.visibleCommands(command).map(commandItem))],
    [
      'EXIT STATUS',
      isProgram ? items(statuses.map(([status, meaning]) => [bold(String(status)), roman(meaning)])) : '',
    ],
    ['EXAMPLES', literal(examples.trimEnd().split('\n'))],
    [
      'SEE ALSO',
      pages.map((page) => page.replace(/^(.*)([(].*)$/, (_, name, rest) => bold(name) + rest)).join(', '),
    ],
  ];
  const head = `.TH ${roman(pageName(command).toUpperCase())} ${section} "" "${program} ${version}"`;
  const body = sections
    .filter(([, content]) => content !== '')
    .map(([title, content]) => `.SH ${title.toUpperCase()}\n${content}`);
  return `${[head, ...body].join('\n')}\n`;
}

/** Returns the options of a command by the titles of their groups. */
function optionGroups(command, help) {
  const groups = new Map();
  for (const option of help.visibleOptions(command)) {
    const title = (option.helpGroupHeading ?? 'Options:').replace(/:$/, '');
    groups.set(title, [...(groups.get(title) ?? []), option]);
  }
  return [...groups];
}

/** Returns the text that the help of a command has after its options and commands. */
function endOfHelp(command) {
  const { writeOut } = command.configureOutput();
  let whole = '';
  command.configureOutput({ writeOut: (text) => (whole += text) });
  command.outputHelp();
  command.configureOutput({ writeOut });
  return whole.slice(command.helpInformation().length);
}

function sentence(text) {
  return /[.]$/.test(text) ? text : `${text}.`;
}

/** Returns a term and its description for each pair. */
function items(pairs) {
  return pairs.map(([term, description]) => `.TP\n${term}\n${description}`).join('\n');
}

/** Sets the lines of a text that are indented, which are tables and commands, as they are, and fills the others. */
function paragraphs(text) {
  const blocks = text.split(/\n{2,}/).filter((block) => block.trim() !== '');
  return blocks.map((block) => parts(block).join('\n')).join('\n.PP\n');
}

function parts(block) {
  const lines = block.split('\n').filter((line) => line !== '');
  const runs = [];
  for (const line of lines) {
    const isLiteral = line.startsWith('  ');
    const last = runs.at(-1);
    if (last?.isLiteral === isLiteral) last.lines.push(line);
    else runs.push({ isLiteral, lines: [line] });
  }
  return runs.map(({ isLiteral, lines: some }) => (isLiteral ? literal(some) : roman(some.join('\n'))));
}

function literal(lines) {
  const text = lines.map((line) => roman(line.replace(/^ {2}/, ''))).join('\n');
  return text === '' ? '' : `.RS 4\n.nf\n${text}\n.fi\n.RE`;
}

/** Sets the placeholders of a usage line, such as `<name...>`, in italics. */
function usage(text) {
  return text.replaceAll(/[^<[\]>]+|<[^>]+>/g, (part) =>
    part.startsWith('<') ? placeholder(part) : roman(part),
  );
}

/** Sets an option such as `-o, --output <format>`. */
function flags(text) {
  return text
    .split(/(, | )/)
    .map((part) => {
      if (part.startsWith('-')) return bold(part);
      return part.startsWith('<') ? placeholder(part) : roman(part);
    })
    .join('');
}

function placeholder(text) {
  const [, name, dots] = /^<(.*?)([.]*)>$/.exec(text);
  return italic(name) + dots;
}

function bold(text) {
  return `\\fB${roman(text)}\\fP`;
}

function italic(text) {
  return `\\fI${roman(text)}\\fP`;
}

const ESCAPES = { '\\': '\\e', '-': '\\-', "'": '\\(aq', '`': '\\(ga', '^': '\\(ha', '~': '\\(ti' };

/** Escapes a text for roff. No line of it is a request. */
function roman(text) {
  return text
    .replaceAll(/[\\\-'`^~]/g, (character) => ESCAPES[character])
    .replaceAll(
      /[^\0-\x7f]/gu,
      (character) => `\\[u${character.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}]`,
    )
    .replaceAll(/^[.]/gm, '\\&.');
}

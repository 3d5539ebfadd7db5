import ts from 'typescript';
import { Throwing } from './throwing.js';

/** Miss is a fault in the doc comment of a public item. */
export interface Miss {
  /** The path of the file, as it was passed to the program. */
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

type Report = (node: ts.Node, text: string) => void;

/** A sentence that says that the function fails: "Fails if …", "It throws …", "The call rejects …". */
const FAILS = /(?:^|[.:]\s+)(?:it |the (?:call|promise) )?(?:fails|throws|rejects|is rejected)\b/i;
/** A sentence that says that it cannot fail. The check trusts it. */
const NEVER_FAILS = /\b(?:never|does not) (?:throws?|rejects?|fails?)\b/i;
/** A first word such as `BtfError`, `NodeJS.ErrnoException` or `{@link BtfError}`. */
const NAMES_A_CLASS = /^(?:\{@link )?[A-Z]\w*[A-Z.]\w*\b|^Error\b/;

/**
 * undocumented returns the faults in the doc comments of everything that modules export. Each item needs a comment. Each
 * function or method that throws, or whose comment says that it fails, needs `@throws` with the name of a class.
 *
 * @param entries the paths of the modules.
 * @param options the compiler options of their package.
 * @throws Error if an entry is not a module.
 */
export function undocumented(entries: readonly string[], options: ts.CompilerOptions): Miss[] {
  const program = ts.createProgram(entries, { ...options, noEmit: true });
  const checker = program.getTypeChecker();
  const misses = new Map<string, Miss>();
  const throwing = new Throwing(checker);
  const report: Report = (node, text) => {
    const source = node.getSourceFile();
    const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
    misses.set(`${source.fileName}:${line} ${text}`, { file: source.fileName, line, text });
  };
  for (const symbol of entries.flatMap((entry) => exportsOf(entry, program, checker))) {
    const declarations = symbol.declarations ?? [];
    const [first] = declarations;
    if (first !== undefined && symbol.getDocumentationComment(checker).length === 0) {
      report(first, `${symbol.name} has no doc comment`);
    }
    for (const [name, overloads] of functionsOf(symbol, checker))
      checkThrows(name, overloads, throwing, report);
  }
  return [...misses.values()];
}

function exportsOf(entry: string, program: ts.Program, checker: ts.TypeChecker): ts.Symbol[] {
  const source = program.getSourceFile(entry);
  const module = source && checker.getSymbolAtLocation(source);
  if (module === undefined) throw new Error(`${entry} is not a module`);
  return checker
    .getExportsOfModule(module)
    .map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol))
    .filter(({ declarations = [] }) => declarations.every((node) => isOwn(node, program)));
}

/** Generated code has the comments of the contract. */
function isOwn(node: ts.Node, program: ts.Program): boolean {
  const source = node.getSourceFile();
  return !program.isSourceFileFromExternalLibrary(source) && !source.fileName.includes('/src/gen/');
}

/**
 * The overloads of a function itself, or of each public method, accessor and constructor of a class or an interface, by
 * name. A class that is not exported may be the base of one that is, so inherited ones count.
 */
function functionsOf(symbol: ts.Symbol, checker: ts.TypeChecker): Map<string, ts.Node[]> {
  const functions = new Map<string, ts.Node[]>();
  const add = (name: string, node: ts.Node): void => {
    functions.set(name, [...(functions.get(name) ?? []), node]);
  };
  for (const declaration of symbol.declarations ?? []) {
    if (ts.isFunctionDeclaration(declaration)) add(symbol.name, declaration);
    if (ts.isVariableDeclaration(declaration)) {
      const { initializer } = declaration;
      if (initializer !== undefined && ts.isFunctionLike(initializer)) add(symbol.name, declaration);
    }
    if (!ts.isClassDeclaration(declaration)) continue;
    const constructors = declaration.members.filter((member) => ts.isConstructorDeclaration(member));
    for (const member of constructors) if (isPublic(member)) add(`new ${symbol.name}`, member);
  }
  if ((symbol.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface)) === 0) return functions;
  const types = [checker.getDeclaredTypeOfSymbol(symbol), checker.getTypeOfSymbol(symbol)];
  for (const property of types.flatMap((type) => checker.getPropertiesOfType(type))) {
    for (const member of property.declarations ?? []) {
      if (!ts.isFunctionLike(member) || !isPublic(member)) continue;
      if (!member.getSourceFile().isDeclarationFile) add(`${symbol.name}.${member.name?.getText()}`, member);
    }
  }
  return functions;
}

function isPublic(member: ts.SignatureDeclaration): boolean {
  if (member.name !== undefined && ts.isPrivateIdentifier(member.name)) return false;
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
  return (ts.getCombinedModifierFlags(member) & hidden) === 0;
}

/** Checks the overloads of a function, of which one may have the comment and another the body. */
function checkThrows(name: string, overloads: readonly ts.Node[], throwing: Throwing, report: Report): void {
  const tags = overloads
    .flatMap((node) => ts.getJSDocTags(node))
    .filter((tag) => tag.tagName.text === 'throws');
  for (const tag of tags) {
    const [text = ''] = tag
      .getText()
      .replace(/^@throws\s*/, '')
      .split('\n');
    if (!NAMES_A_CLASS.test(text)) report(tag, `${name}: "@throws ${text}" names no class`);
  }
  if (tags.length > 0 || overloads.some((node) => says(node, NEVER_FAILS))) return;
  for (const node of overloads) {
    if (throwing.throws(node)) report(node, `${name} throws, but has no @throws`);
    else if (says(node, FAILS)) report(node, `${name} fails according to its comment, but has no @throws`);
  }
}

function says(node: ts.Node, pattern: RegExp): boolean {
  return ts
    .getJSDocCommentsAndTags(node)
    .some((part) => ts.isJSDoc(part) && pattern.test(ts.getTextOfJSDocComment(part.comment) ?? ''));
}

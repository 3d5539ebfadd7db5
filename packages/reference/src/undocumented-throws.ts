import { relative } from 'node:path';
import ts from 'typescript';

/** UndocumentedThrow is a public function whose doc comment does not name the errors that it throws. */
export interface UndocumentedThrow {
  /** The file and line of the function. */
  readonly place: string;
  /** The name of the function, or of the class and the method. */
  readonly name: string;
  /** The fault, such as `throws, through parse → fail: document it with @throws`. */
  readonly fault: string;
}

/**
 * undocumentedThrows finds the public functions and methods of a package that throw without a `@throws` in their doc
 * comment, and each `@throws` that does not begin with the name of an error. It follows calls of functions whose source is in the package. It does not look into callbacks, into `try`
 * blocks with a `catch`, or at promises with one. "Never throws" or "Never rejects" in the comment is enough, too.
 *
 * @param entries are the modules whose exports are public.
 * @throws Error if an entry is not a module.
 */
export function undocumentedThrows(
  entries: readonly string[],
  options: ts.CompilerOptions,
): UndocumentedThrow[] {
  const program = ts.createProgram(entries, {
    ...options,
    noEmit: true,
    composite: false,
    incremental: false,
  });
  const checker = program.getTypeChecker();
  const search = new ThrowSearch(checker);
  const symbols = entries.flatMap((entry) => {
    const source = program.getSourceFile(entry);
    const module = source && checker.getSymbolAtLocation(source);
    if (module === undefined) throw new Error(`${entry} is not a module`);
    return checker.getExportsOfModule(module).map((symbol) => unaliased(symbol, checker));
  });
  return [...new Set(symbols)].flatMap((symbol) =>
    publicFunctions(symbol).flatMap(({ name, node }) => {
      const faults = namelessTags(node);
      const calls = isDocumented(node, checker) ? null : search.callsToThrow(node);
      const through = calls === null || calls.length === 0 ? '' : `, through ${calls.join(' → ')}`;
      if (calls !== null) faults.push(`throws${through}: document it with @throws`);
      return faults.map((fault) => ({ place: placeOf(node), name, fault }));
    }),
  );
}

/** Returns a fault for each `@throws` that does not begin with a name such as `BtfError` or `{@link BtfError}`. */
function namelessTags(node: ts.Node): string[] {
  return ts.getJSDocTags(node).flatMap((tag) => {
    const [line = ''] = tag.getText().split('\n');
    const isNameless = tag.tagName.text === 'throws' && !/^@throws (?:\{@link )?[A-Z]/.test(line);
    return isNameless ? [`has "${line.trim()}": begin with the name of the error`] : [];
  });
}

interface PublicFunction {
  readonly name: string;
  readonly node: ts.FunctionLikeDeclaration;
}

function unaliased(symbol: ts.Symbol, checker: ts.TypeChecker): ts.Symbol {
  return (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol);
}

/** Returns an exported function, or the public methods of an exported class. */
function publicFunctions(symbol: ts.Symbol): PublicFunction[] {
  return (symbol.declarations ?? []).flatMap((declaration): PublicFunction[] => {
    if (ts.isFunctionDeclaration(declaration)) return [{ name: symbol.name, node: declaration }];
    if (!ts.isClassDeclaration(declaration)) return [];
    return declaration.members.filter(isPublicFunction).map((node) => ({
      name: `${symbol.name}.${node.name?.getText() ?? 'constructor'}`,
      node,
    }));
  });
}

function isPublicFunction(
  member: ts.ClassElement,
): member is ts.ConstructorDeclaration | ts.MethodDeclaration | ts.GetAccessorDeclaration {
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
  return (
    (ts.isConstructorDeclaration(member) || ts.isMethodDeclaration(member) || ts.isGetAccessor(member)) &&
    (ts.getCombinedModifierFlags(member) & hidden) === 0 &&
    !(member.name !== undefined && ts.isPrivateIdentifier(member.name)) &&
    !ts.getJSDocTags(member).some(({ tagName }) => tagName.text === 'internal')
  );
}

/** Reports whether the doc comment of a function, or of one of its overloads, says when it throws. */
function isDocumented(node: ts.FunctionLikeDeclaration, checker: ts.TypeChecker): boolean {
  const symbol = node.name === undefined ? undefined : checker.getSymbolAtLocation(node.name);
  return (symbol?.declarations ?? [node]).some((declaration) =>
    ts
      .getJSDocCommentsAndTags(declaration)
      .some((comment) => /@throws\b|\bNever (?:throws|rejects)\b/.test(comment.getText())),
  );
}

function placeOf(node: ts.Node): string {
  const file = node.getSourceFile();
  const { line } = file.getLineAndCharacterOfPosition(node.getStart());
  return `${relative(process.cwd(), file.fileName)}:${line + 1}`;
}

/** Reports whether a node is a promise with a `catch`. */
function isCaught(node: ts.Node): boolean {
  return (
    ts.isCallExpression(node) &&
    ts.isPropertyAccessExpression(node.expression) &&
    node.expression.name.text === 'catch'
  );
}

/** ThrowSearch finds `throw` statements, and remembers the result for each function. */
class ThrowSearch {
  readonly #checker: ts.TypeChecker;
  /** The results until now. Null also for a function that is being searched, since calls may be recursive. */
  readonly #known = new Map<ts.Node, readonly string[] | null>();

  constructor(checker: ts.TypeChecker) {
    this.#checker = checker;
  }

  /** Returns the calls from a function to a `throw` statement, or null if there is none. */
  callsToThrow(node: ts.FunctionLikeDeclaration): readonly string[] | null {
    const known = this.#known.get(node);
    if (known !== undefined) return known;
    this.#known.set(node, null);
    const calls = 'body' in node && node.body !== undefined ? this.#inside(node.body) : null;
    this.#known.set(node, calls);
    return calls;
  }

  #inside(node: ts.Node): readonly string[] | null {
    if (ts.isFunctionLike(node)) return null;
    if (ts.isThrowStatement(node)) return [];
    if (ts.isTryStatement(node) && node.catchClause !== undefined) {
      return (
        this.#inside(node.catchClause.block) ?? (node.finallyBlock && this.#inside(node.finallyBlock)) ?? null
      );
    }
    if (isCaught(node)) return null;
    return this.#called(node) ?? ts.forEachChild(node, (child) => this.#inside(child) ?? undefined) ?? null;
  }

  /** Looks into the function that a call calls, if its source is in the package. */
  #called(node: ts.Node): readonly string[] | null {
    if (!ts.isCallExpression(node) && !ts.isNewExpression(node)) return null;
    const called = this.#checker.getResolvedSignature(node)?.declaration;
    if (called === undefined || !ts.isFunctionLike(called) || called.getSourceFile().isDeclarationFile)
      return null;
    if (!('body' in called)) return null;
    const calls = this.callsToThrow(called);
    return calls === null ? null : [node.expression.getText(), ...calls];
  }
}

import ts from 'typescript';

/**
 * Throwing finds the functions that throw: those with a `throw` in their own body, and those that call such a function of
 * the same package. A statement in a `try` with a `catch`, and a promise with `.catch()`, do not count; neither does a
 * caught error that is thrown again. Errors of other packages are not found.
 */
export class Throwing {
  readonly #checker: ts.TypeChecker;
  readonly #known = new Map<ts.Node, boolean>();

  constructor(checker: ts.TypeChecker) {
    this.#checker = checker;
  }

  /** Whether a function, or a variable that is one, throws. */
  throws(declaration: ts.Node): boolean {
    const known = this.#known.get(declaration);
    if (known !== undefined) return known;
    // Until it is known, for a function that calls itself.
    this.#known.set(declaration, false);
    const own = ts.isVariableDeclaration(declaration) ? declaration.initializer : declaration;
    const result = own !== undefined && anyChild(own, (child) => this.#mayThrow(child, null));
    this.#known.set(declaration, result);
    return result;
  }

  /** @param caught the name of the error in a `catch` around the node. */
  #mayThrow(node: ts.Node, caught: string | null): boolean {
    if (ts.isFunctionLike(node)) return false;
    if (ts.isThrowStatement(node)) return node.expression.getText() !== caught;
    if (ts.isTryStatement(node) && node.catchClause !== undefined) {
      const { catchClause, finallyBlock } = node;
      const name = catchClause.variableDeclaration?.name.getText() ?? null;
      if (this.#mayThrow(catchClause.block, name)) return true;
      return finallyBlock !== undefined && this.#mayThrow(finallyBlock, caught);
    }
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
      const { expression } = node;
      if (ts.isPropertyAccessExpression(expression) && expression.name.text === 'catch') return false;
      if (this.#calledBy(node).some((called) => this.throws(called))) return true;
    }
    return anyChild(node, (child) => this.#mayThrow(child, caught));
  }

  /** The functions with a body that a call may run, if they are of the same package. */
  #calledBy(call: ts.CallExpression | ts.NewExpression): ts.Node[] {
    const signature = this.#checker.getResolvedSignature(call)?.declaration;
    const name = ts.isPropertyAccessExpression(call.expression) ? call.expression.name : call.expression;
    const symbol = this.#checker.getSymbolAtLocation(name);
    const target =
      symbol !== undefined && symbol.flags & ts.SymbolFlags.Alias
        ? this.#checker.getAliasedSymbol(symbol)
        : symbol;
    // The signature of an overload has no body, but another declaration of its symbol has.
    const declarations = [...(target?.declarations ?? []), ...(signature === undefined ? [] : [signature])];
    return declarations.filter((node) => ts.isFunctionLike(node) && !node.getSourceFile().isDeclarationFile);
  }
}

function anyChild(node: ts.Node, test: (child: ts.Node) => boolean): boolean {
  return ts.forEachChild(node, test) === true;
}

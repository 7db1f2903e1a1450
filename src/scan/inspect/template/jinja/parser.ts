// Tokens → the tree of a template: all the tags of Jinja2, of its extensions that loaders switch on (loop controls, do,
// i18n), and of transformers ({% generation %}). Nothing is ever evaluated.

import { tokensOf } from './lexer.ts';
import { ExpressionParser } from './nodes.ts';
import type { Argument, Branch, Expression, Node, Statement } from './syntax.ts';
import { SyntaxFault } from './syntax-fault.ts';

/** Throws SyntaxFault. */
export function parseTemplate(source: string): readonly Statement[] {
  return new TemplateParser(tokensOf(source)).template();
}

const LOADS = ['include', 'import', 'from', 'extends'];
/** Tags with a body up to end…; what follows the tag's word is a list of expressions. */
const BLOCKS = ['generation', 'autoescape', 'with', 'call', 'filter', 'block', 'trans'];
const LONE = ['break', 'continue', 'debug', 'do', 'print', 'pluralize'];

class TemplateParser extends ExpressionParser {
  template(): Statement[] {
    const body = this.#body([]);
    if (this.token !== undefined) throw new SyntaxFault('a tag ends that did not begin', this.token.at);
    return body;
  }

  /** Up to one of the tags, whose word has then been taken; or up to the end of the template. */
  #body(ends: readonly string[]): Statement[] {
    return this.deeper(() => {
      const body: Statement[] = [];
      for (;;) {
        const { token } = this;
        if (token === undefined) {
          if (ends.length === 0) return body;
          throw new SyntaxFault(`${ends.join(' or ')} is missing`, 0);
        }
        this.take();
        if (token.kind === 'text')
          body.push(this.node({ kind: 'text', text: token.value, at: token.at }, []));
        else if (token.kind === 'begin-output') body.push(this.#output(token.at));
        else if (this.is('name', ...ends) && ends.length > 0) return body;
        else body.push(this.#statement(token.at));
      }
    });
  }

  #output(at: number): Statement {
    const value = this.sequence();
    this.expect('end');
    return this.node({ kind: 'output', value, at }, [value]);
  }

  #statement(at: number): Statement {
    const tag = this.expect('name').value;
    if (tag === 'if') return this.#if(at);
    if (tag === 'for') return this.#for(at);
    if (tag === 'set') return this.#set(at);
    if (tag === 'macro') return this.#macro(at);
    if (LOADS.includes(tag)) return this.#load(tag, at);
    if (BLOCKS.includes(tag)) return this.#block(tag, at);
    if (!LONE.includes(tag)) throw new SyntaxFault(`an unknown tag ${JSON.stringify(tag.slice(0, 40))}`, at);
    const values = this.is('end') ? [] : [this.sequence()];
    this.expect('end');
    return this.node({ kind: 'block', tag, values, body: [], at }, values);
  }

  #if(at: number): Statement {
    const branches: Branch[] = [];
    const children: (Node | null)[] = [];
    for (let word = 'elif'; word !== 'endif'; ) {
      const test: Expression | null = word === 'elif' ? this.sequence() : null;
      this.expect('end');
      const body = this.#body(test === null ? ['endif'] : ['elif', 'else', 'endif']);
      branches.push({ test, body });
      children.push(test, ...body);
      word = this.take().value;
    }
    this.expect('end');
    return this.node({ kind: 'if', branches, at }, children);
  }

  #for(at: number): Statement {
    const targets = this.#names();
    this.expect('name', 'in');
    // Not a whole expression: `for m in messages if …` filters, it does not choose.
    const first = this.operation(0);
    const iterable = this.is('operator', ',') ? this.#tuple(first) : first;
    const condition = this.takeIf('name', 'if') ? this.expression() : null;
    this.takeIf('name', 'recursive');
    this.expect('end');
    const body = this.#body(['else', 'endfor']);
    let otherwise: Statement[] = [];
    if (this.take().value === 'else') {
      this.expect('end');
      otherwise = this.#body(['endfor']);
      this.take();
    }
    this.expect('end');
    const children = [iterable, condition, ...body, ...otherwise];
    return this.node({ kind: 'for', targets, iterable, condition, body, otherwise, at }, children);
  }

  #tuple(first: Expression): Expression {
    const items = [first];
    while (this.takeIf('operator', ',')) items.push(this.operation(0));
    return this.node({ kind: 'list', items, at: first.at }, items);
  }

  /** Targets of a loop; brackets only group them. */
  #names(): string[] {
    const names: string[] = [];
    while (!this.is('name', 'in')) {
      if (this.is('name')) names.push(this.take().value);
      else this.expect('operator', ',', '(', ')');
    }
    return names;
  }

  #set(at: number): Statement {
    const target = this.sequence();
    const targets = target.kind === 'list' ? target.items : [target];
    if (this.takeIf('operator', '=')) {
      const value = this.sequence();
      this.expect('end');
      return this.node({ kind: 'set', targets, value, body: [], at }, [...targets, value]);
    }
    this.expect('end');
    const body = this.#bodyOf('set');
    // {% set x | upper %}: the filters belong to the value, the target is below them.
    return this.node({ kind: 'set', targets, value: null, body, at }, [...targets, ...body]);
  }

  #bodyOf(tag: string): Statement[] {
    const end = `end${tag}`;
    const body = this.#body([end]);
    this.take();
    this.takeIf('name'); // {% endblock name %}
    this.expect('end');
    return body;
  }

  #macro(at: number): Statement {
    const name = this.expect('name').value;
    const parameters: Argument[] = this.arguments();
    this.expect('end');
    const body = this.#bodyOf('macro');
    return this.node({ kind: 'macro', name, parameters, body, at }, [
      ...parameters.map(({ value }) => value),
      ...body,
    ]);
  }

  #load(tag: string, at: number): Statement {
    const value = this.sequence();
    while (!this.is('end')) this.take(); // import a, b as c with context
    this.expect('end');
    return this.node({ kind: 'load', tag, value, at }, [value]);
  }

  #block(tag: string, at: number): Statement {
    const values: Expression[] = [];
    if (tag === 'call' && this.is('operator', '('))
      values.push(...this.arguments().map(({ value }) => value));
    if (tag === 'filter') values.push(this.#filters(at));
    while (!this.is('end')) {
      if (this.takeIf('operator', ',', '=') || this.takeIf('name', 'scoped', 'required')) continue;
      values.push(this.expression());
    }
    this.expect('end');
    const body = this.#bodyOf(tag);
    return this.node({ kind: 'block', tag, values, body, at }, [...values, ...body]);
  }

  #filters(at: number): Expression {
    let value = this.filter(null, at);
    while (this.takeIf('operator', '|')) value = this.filter(value, at);
    return value;
  }
}

// `steelyard schema NAME`: the JSON Schema of a document.
import { Argument, Command } from 'commander';
import { DOCUMENTS, type DocumentName, jsonSchema } from '../../report/schemas.ts';
import { writeStdout } from '../terminal/output.ts';

export function schemaCommand(): Command {
  return new Command('schema')
    .summary('print the JSON Schema of a document')
    .description('Prints the JSON Schema (2020-12) of a document that this program reads or writes.')
    .addArgument(new Argument('<document>', 'which one').choices(DOCUMENTS))
    .action((name: DocumentName) => writeStdout([`${JSON.stringify(jsonSchema(name), null, 2)}\n`]));
}

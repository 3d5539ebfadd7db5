import { Command } from 'commander';
import { resolve } from 'node:path';
import { notFound, usageError } from '../cli-error.js';
import { checkPair } from '../config/tls-files.js';
import { tlsOf } from '../global-options.js';
import { formatTable } from '../output/table.js';
import type { Run } from '../run.js';
import type { Session } from '../session.js';

/** contextCommand is `btfctl context` with its own commands. */
export function contextCommand(run: Run): Command {
  return new Command('context')
    .description('name daemons in the config file, and choose the one to ask')
    .addCommand(new Command('list').description('list the contexts').action(run(list)))
    .addCommand(
      new Command('use')
        .description('ask this one where none is named')
        .argument('<name>')
        .action(run(async (session: Session, name: string) => use(session, name))),
    )
    .addCommand(
      new Command('set')
        .description('add a context, or replace it, with the --address and the --tls options that are given')
        .argument('<name>')
        .action(run(async (session: Session, name: string) => set(session, name))),
    )
    .addCommand(
      new Command('remove')
        .description('remove a context')
        .argument('<name>')
        .action(run(async (session: Session, name: string) => remove(session, name))),
    );
}

async function list(session: Session): Promise<void> {
  const { contexts, currentContext } = session.configFile.config;
  const rows = [...contexts].map(([name, { address, tls }]) => ({
    name,
    address,
    tls: tls !== null,
    current: name === currentContext,
  }));
  const columns = [
    { heading: 'CURRENT' },
    { heading: 'NAME', color: session.colors.name },
    { heading: 'ADDRESS', shrinks: true },
    { heading: 'TLS' },
  ];
  await session.show({
    data: rows,
    names: rows.map(({ name }) => name),
    text: () =>
      formatTable(
        columns,
        rows.map(({ name, address, tls, current }) => [
          current ? '*' : '',
          name,
          address,
          tls ? 'yes' : 'no',
        ]),
        session,
      ),
  });
  if (rows.length === 0) {
    session.note(`no contexts in ${session.configFile.path}: \`btfctl context set NAME --address ADDRESS\``);
  }
}

async function use(session: Session, name: string): Promise<void> {
  requireContext(session, name);
  session.configFile.use(name);
  session.note(`asking ${name} from now on`);
}

async function set(session: Session, name: string): Promise<void> {
  const { address } = session.options;
  if (address === undefined) throw usageError('a context needs an address', 'give it with --address');
  // They would be read as an address, or as a name with an object behind it.
  if (/[:/@]|^$/.test(name))
    throw usageError(`${JSON.stringify(name)} is no name for a context: no : / @ in it`);
  const { tls } = session.target;
  const { ca, cert, key, serverName } = tlsOf(session.options);
  const absolute = (path: string | undefined): string | undefined => path && resolve(path);
  const files = { ca: absolute(ca), cert: absolute(cert), key: absolute(key), serverName };
  checkPair(files);
  const file = session.newConfigFile;
  file.set(name, { address, tls: tls && files });
  session.note(`${name} is ${address}, in ${file.path}`);
}

async function remove(session: Session, name: string): Promise<void> {
  requireContext(session, name);
  session.configFile.remove(name);
  session.note(`removed ${name}`);
}

function requireContext(session: Session, name: string): void {
  const { contexts } = session.configFile.config;
  if (contexts.has(name)) return;
  throw notFound(`there is no context ${JSON.stringify(name)}`, '`btfctl context list` shows what there is');
}

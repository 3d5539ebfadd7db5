import { resolve } from 'node:path';
import type { ConfigFile } from '../config/config-file.js';
import { checkPair } from '../config/tls-files.js';
import { notFound, usageError } from '../error/cli-error.js';
import { tlsOf } from '../grammar/global-options.js';
import { formatTable } from '../output/table.js';
import type { Session } from '../session/session.js';

/** list runs `btfctl context list`. */
export async function list(session: Session): Promise<void> {
  const { path, config } = await session.configFile();
  const { contexts, currentContext } = config;
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
    session.note(`no contexts in ${path}: \`btfctl context set NAME --address ADDRESS\` adds one`);
  }
}

/** use runs `btfctl context use`. */
export async function use(session: Session, name: string): Promise<void> {
  const file = await fileWith(session, name);
  file.use(name);
  session.note(`the current context is ${name}`);
}

/** set runs `btfctl context set`. */
export async function set(session: Session, name: string): Promise<void> {
  const { address } = session.options;
  if (address === undefined) {
    throw usageError('a context needs an address', `use \`btfctl context set ${name} --address ADDRESS\``);
  }
  // These would be parsed as an address, or as a name followed by an object.
  if (/[:/@]|^$/.test(name))
    throw usageError(`invalid context name ${JSON.stringify(name)}: use a name without : / @`);
  const { tls } = await session.target();
  const file = await session.newConfigFile();
  const { caFile, certFile, keyFile, serverName } = tlsOf(session.options);
  const absolute = (path: string | undefined): string | undefined => path && resolve(path);
  const files = {
    caFile: absolute(caFile),
    certFile: absolute(certFile),
    keyFile: absolute(keyFile),
    serverName,
  };
  checkPair(files);
  file.set(name, { address, tls: tls && files });
  session.note(`set ${name} to ${address} in ${file.path}`);
}

/** remove runs `btfctl context remove`. */
export async function remove(session: Session, name: string): Promise<void> {
  const file = await fileWith(session, name);
  const { config } = file;
  file.remove(name);
  session.note(`removed ${name}`);
  if (config.currentContext === name) {
    session.note('there is no current context now: `btfctl context use NAME` chooses one');
  }
}

/** Returns the config file. @throws CliError NOT_FOUND if it does not have the context. */
async function fileWith(session: Session, name: string): Promise<ConfigFile> {
  const file = await session.configFile();
  if (file.config.contexts.has(name)) return file;
  throw notFound(`there is no context ${JSON.stringify(name)}`, '`btfctl context list` lists the contexts');
}

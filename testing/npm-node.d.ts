/**
 * npmNode installs Node from a package of npm into a folder, unless it is there, and returns the path of the program.
 *
 * @param version such as `24`
 * @param arch the architecture, which may be one that only an emulator runs. Default: that of this process.
 * @throws Error if npm fails.
 */
export function npmNode(folder: string, version: string, arch?: string): string;

{
  'targets': [
    {
      'target_name': 'btfd_native',
      'conditions': [
        # bpf(2) exists on Linux only. On other systems nothing is built, and each call throws an error that says so.
        ['OS!="linux"', {'type': 'none'}, {
          'sources': [
            'cc/addon.cc',
            'cc/bpf.cc',
            'cc/load.cc',
            'cc/load-thread.cc',
            'cc/loader.cc',
            'cc/old-libc.cc',
            'cc/read-file.cc',
            'cc/read-worker.cc',
            'cc/request-fd-worker.cc',
            'cc/sockets.cc',
          ],
          'include_dirs': ["<!(node -p \"require('node-addon-api').include_dir\")"],
          'defines': [
            'NAPI_VERSION=8',
            'NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS',
            'NODE_ADDON_API_DISABLE_DEPRECATED',
            # A worker that is being terminated refuses every call into JavaScript. That must not abort the process.
            'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
          ],
          'cflags_cc': ['-std=c++17', '-fno-exceptions', '-fvisibility=hidden', '-Wall', '-Wextra', '-Werror'],
          # A load inside the kernel outlives its environment. Its code must stay mapped when the last worker that
          # loaded the addon ends.
          'ldflags': ['-Wl,-z,nodelete'],
        }],
      ],
    },
  ],
}

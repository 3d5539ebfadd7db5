{
  'targets': [
    {
      'target_name': 'btfd_native',
      'conditions': [
        # bpf(2) is Linux: elsewhere there is nothing to build, and each call says so.
        ['OS!="linux"', {'type': 'none'}, {
          'sources': [
            'cc/addon.cc',
            'cc/bpf.cc',
            'cc/btf-fd.cc',
            'cc/load.cc',
            'cc/load-thread.cc',
            'cc/loader.cc',
            'cc/notify.cc',
            'cc/read-worker.cc',
            'cc/socket-info.cc',
            'cc/socket-peer.cc',
          ],
          'include_dirs': ["<!(node -p \"require('node-addon-api').include_dir\")"],
          'defines': [
            'NAPI_VERSION=8',
            'NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS',
            'NODE_ADDON_API_DISABLE_DEPRECATED',
            # A worker that is being terminated refuses every call into JavaScript: that must not abort the process.
            'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
          ],
          'cflags_cc': ['-std=c++17', '-fno-exceptions', '-fvisibility=hidden', '-Wall', '-Wextra', '-Werror'],
          # A load that is inside the kernel outlives its environment: its code must not be unmapped when the last
          # worker that loaded the addon ends.
          'ldflags': ['-Wl,-z,nodelete'],
        }],
      ],
    },
  ],
}

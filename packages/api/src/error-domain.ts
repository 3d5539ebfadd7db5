/** ERROR_DOMAIN is the `domain` of the `google.rpc.ErrorInfo` in every error of `btf.v1`. */
export const ERROR_DOMAIN = 'btf.v1';

import { checkToken, invalidRequest } from '../error/service-error.js';

/** SpecName names an object in a request. */
export type SpecName =
  | { readonly case: 'handle'; readonly value: string }
  | { readonly case: 'id'; readonly value: number }
  | { readonly case: 'name'; readonly value: string };

/**
 * requireSpecName checks the source of a request, and returns it.
 *
 * @throws ServiceError INVALID_REQUEST if it is missing or empty.
 */
export function requireSpecName(source: SpecName | { readonly case: undefined }): SpecName {
  switch (source.case) {
    case 'handle':
      checkToken('handle', source.value);
      return source;
    case 'id':
      if (source.value === 0) throw invalidRequest('id', 'must not be 0');
      return source;
    case 'name':
      if (source.value === '') throw invalidRequest('name', 'is empty');
      return source;
    case undefined:
      break;
  }
  throw invalidRequest('source', 'is required');
}

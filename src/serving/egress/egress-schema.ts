// The declaration of egress as a document, `steelyard/egress/1`: the door for what people write, and the source of its JSON Schema.
import { z } from 'zod';

const Port = z.int().min(1).max(65_535);

const Entry = z.union([
  z.string().min(1).describe('a URL: https://host or https://host:port'),
  z
    .strictObject({
      url: z.string().min(1),
      insecure: z.literal(true).describe('the URL begins with http://'),
    })
    .describe('a URL without TLS'),
  z
    .strictObject({
      cidr: z.string().min(1).describe('a range of addresses: 10.1.2.0/24'),
      ports: z.array(Port).min(1).max(100),
    })
    .describe('addresses instead of names'),
]);

const body = {
  allow: z.array(Entry).max(10_000).describe('everything that the server may connect to'),
  deny: z
    .tuple([z.literal('*')], 'write deny: ["*"]: what is not allowed is denied')
    .describe('everything else: ["*"]'),
};

export const EgressSchema = z.strictObject({ schema: z.literal('steelyard/egress/1'), ...body });

/** The same without its name, as a part of a configuration: `egress: {allow: …, deny: …}`. */
export const BareEgressSchema = z.strictObject({ egress: z.strictObject(body) });

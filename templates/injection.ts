import type { InputModeData, OutputModeData } from "../src/kit.js";

/**
 * Types only: the fields that a template's modes inject, and those that a task reads and they do not inject. Fields are
 * compared one by one, and not by assigning `process`, because parameters of methods are bivariant: anything would fit.
 */

type IsAny<T> = 0 extends 1 & T ? true : false;

/** Names that only modes give. Records and `generateTasks` give all others. */
type Reserved = "input" | "result" | "output" | `output_${string}`;

// biome-ignore lint/suspicious/noExplicitAny: the one type that has every field.
type Anything = any;

/** What an input mode injects; `Anything` for records of any shape, and where `generateTasks` or configuration decides. */
type InputOf<M> = M extends InputModeData<infer I> ? (unknown extends I ? Anything : I) : Anything;

// biome-ignore lint/complexity/noBannedTypes: {} is "no field".
type OutputOf<M> = M extends OutputModeData<infer O> ? (unknown extends O ? {} : O) : {};

// biome-ignore lint/suspicious/noExplicitAny: any task at all.
export type AnyTaskClass = abstract new (...args: any) => { process(item: any, ctx: any): unknown };

type FirstParameter<F> = F extends (item: infer I, ...rest: never) => unknown ? I : unknown;

/** The item as `process` reads it. */
type ItemOf<C extends AnyTaskClass> = FirstParameter<InstanceType<C>["process"]>;

/** The item as the other methods that get injected fields read it. */
type SideItemOf<C extends AnyTaskClass, Method extends string> =
  InstanceType<C> extends { [K in Method]?: infer F } ? FirstParameter<NonNullable<F>> : unknown;

type IsGiven<K, V, In, Out> = K extends keyof Out
  ? [Out[K]] extends [V]
    ? true
    : false
  : IsAny<In> extends true
    ? K extends Reserved
      ? false
      : true
    : K extends keyof In
      ? [In[K]] extends [V]
        ? true
        : false
      : false;

/** Names of the fields that `Item` must have and nothing injects with its type. */
type MissingOf<Item, In, Out> =
  IsAny<Item> extends true
    ? never
    : {
          // An index signature asks for no field by name.
          [K in keyof Item as string extends K ? never : number extends K ? never : K]-?: Pick<
            Item,
            K
          > extends Required<Pick<Item, K>>
            ? IsGiven<K, Item[K], In, Out> extends true
              ? never
              : K
            : K extends keyof Out | (IsAny<In> extends true ? never : keyof In)
              ? IsGiven<K, Item[K], In, Out> extends true
                ? never
                : K
              : never;
        } extends infer Fields
      ? Fields[keyof Fields]
      : never;

/** `never` when the modes inject all that the task's methods read. */
export type NotInjected<C extends AnyTaskClass, InputMode, OutputMode> =
  | MissingOf<ItemOf<C>, InputOf<InputMode>, OutputOf<OutputMode>>
  | MissingOf<SideItemOf<C, "isExecuted">, InputOf<InputMode>, OutputOf<OutputMode>>
  | MissingOf<SideItemOf<C, "verify">, InputOf<InputMode>, OutputOf<OutputMode>>;

/** Shown by the compiler, with the name of the field. */
export interface FieldIsNotInjectedByTheModes<Field> {
  readonly "the task reads a field that its modes do not inject": Field;
}

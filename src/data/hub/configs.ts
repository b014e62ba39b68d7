import { KagurazakaError } from "../../base/errors.js";
import { didYouMean } from "../../base/nearest.js";
import type { CardConfig, DatasetCard } from "./card.js";
import { matchFiles, type Splits, splitsByNames } from "./splits.js";

interface ConfigChoice {
  readonly config: string;
  readonly configs: readonly string[];
  readonly splits: Splits;
  /** Whether names of files tell the splits, not the patterns of a card. */
  readonly isByNames: boolean;
}

/** The configs that a dataset has; one, `default` or as `dataset_info` calls it, where the card has none. */
function configNames(card: DatasetCard | undefined): string[] {
  if (card && card.configs.length > 0) return card.configs.map(({ name }) => name);
  return [card?.infos.length === 1 ? card.infos[0]!.config : "default"];
}

/**
 * The files of a config, by split.
 * @param of the dataset, for messages
 * @param config the one that the card says is the default (it is the only one, is named `default`, or has `default: true`) when undefined
 * @throws KagurazakaError `source` for a config that is not there, or none named where there are several
 */
export function chooseConfig(
  names: readonly string[],
  card: DatasetCard | undefined,
  config: string | undefined,
  of: string,
): ConfigChoice {
  const configs = configNames(card);
  const found = card && card.configs.length > 0 ? findConfig(card.configs, config, of) : undefined;
  if (!found) {
    if (config !== undefined && config !== "default" && !configs.includes(config)) throw noConfig(configs, config, of);
    return { config: config ?? configs[0]!, configs, splits: splitsByNames(names), isByNames: true };
  }
  return { config: found.name, configs, splits: splitsOf(found, names, of), isByNames: !found.patterns };
}

function splitsOf({ patterns, directory }: CardConfig, names: readonly string[], of: string): Splits {
  if (patterns) {
    const splits = [...patterns].map(([split, some]): [string, string[]] => [split, matchFiles(some, names, of)]);
    return new Map(splits.filter(([, files]) => files.length > 0));
  }
  const below = directory === undefined || directory === "" ? "" : `${directory}/`;
  const inside = names.filter((name) => name.startsWith(below)).map((name) => name.slice(below.length));
  return new Map([...splitsByNames(inside)].map(([split, files]) => [split, files.map((name) => below + name)]));
}

function findConfig(all: readonly CardConfig[], wanted: string | undefined, of: string): CardConfig {
  const isDefault = ({ name, isDefault }: CardConfig): boolean => all.length === 1 || name === "default" || isDefault;
  const fitting = all.filter((one) => (wanted === undefined ? isDefault(one) : one.name === wanted));
  if (fitting.length === 1) return fitting[0]!;
  throw noConfig(
    all.map(({ name }) => name),
    wanted,
    of,
  );
}

function noConfig(configs: readonly string[], wanted: string | undefined, of: string): KagurazakaError {
  const what =
    wanted === undefined
      ? `${of} has several configs, and none is the default`
      : `${of} has no config "${wanted}".${didYouMean(wanted, configs)}`;
  const shown =
    configs.length > 20 ? `${configs.slice(0, 20).join(", ")} and ${configs.length - 20} more` : configs.join(", ");
  return new KagurazakaError("source", what, { where: of, hint: `Choose one of its configs: ${shown}.` });
}

/** The directory below an output root that belongs to kagurazaka. */
export const OWN_DIRECTORY = ".kagurazaka";

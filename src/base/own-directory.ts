/** What kagurazaka keeps below an output root lies in here, and nothing of the user's does. */
export const OWN_DIRECTORY = ".kagurazaka";

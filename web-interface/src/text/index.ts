/**
 * All words that a person reads. One language today; another one is a second object of type `Text`, chosen here.
 */
import { en } from "./en";

export type Text = typeof en;
export const text: Text = en;

//go:build !windows && (!unix || solaris || aix)

package recording

import "os"

// lock locks nothing where there is no lock that ends with its process.
func lock(*os.File) (bool, error) { return true, nil }

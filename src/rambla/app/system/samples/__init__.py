"""The actions of `/whisk.system/samples`: text that runs in a sandbox, where nothing of the platform is."""
